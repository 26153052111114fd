"""What was asked for, as plain data: recipes, their options, and the named presets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["presets"],
    submod_attrs={
        "mapping": ["from_mapping"],
        "options": ["DataOptions", "TrainingOptions"],
        "recipe": ["Recipe"],
    },
)
