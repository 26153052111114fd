"""molzoo: a modular zoo of molecular graph transformers on DGL, trained with sharpness-aware optimizers.

`zoo.build("grover", optimizer="graphsam")` makes a `Learner`; `zoo.data.load("b3db")` data to fit it on.
"""

import lazy_loader

from zoo.process import tune_process

tune_process()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["catalog", "checkpoint", "data", "experiment", "inference", "layers", "models", "plots", "sharpness"],
    submod_attrs={
        "browse": ["describe", "list_featurizers", "list_models", "list_optimizers"],
        "factory": ["assemble", "build", "load"],
        "learner": ["Learner"],
        "plugins": ["register_featurizer", "register_model", "register_optimizer"],
        "recipe": ["Recipe"],
    },
)
