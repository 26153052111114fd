"""molzoo: a modular zoo of molecular graph transformers on DGL, trained with sharpness-aware optimizers.

`zoo.build("grover", optimizer="graphsam")` makes a `Learner`; `zoo.data.load("b3db")` data to fit it on.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["data", "experiments", "inference", "layers", "learners", "models", "recipe", "registry", "runs"]
    + ["sharpness", "tasks", "training", "views"],
    submod_attrs={
        "experiments": ["experiment"],
        "learners": ["Learner", "assemble", "build", "describe", "list_featurizers", "list_models", "list_optimizers"]
        + ["load"],
        "recipe": ["Recipe"],
        "registry": ["catalog", "register_featurizer", "register_model", "register_optimizer"],
        "runs": ["checkpoint"],
        "training": ["callbacks"],
        "views": ["plots"],
    },
)
