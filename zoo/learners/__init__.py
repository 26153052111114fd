"""What `zoo.build` gives: the factory, learners that train and predict, and their description."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "descriptions": ["describe", "list_featurizers", "list_models", "list_optimizers"],
        "estimator": ["Baseline"],
        "factory": ["assemble", "build", "load"],
        "learner": ["Learner"],
        "predictor": ["Predictor"],
    },
)
