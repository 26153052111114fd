"""Search for hyperparameters on the validation part."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "tuning": ["Tuning", "best_recipe", "tune"],
    },
)
