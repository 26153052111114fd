"""The training loop, its closures, its record, and the processes that share it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["callbacks", "distributed"],
    submod_attrs={
        "history": ["EpochRecord", "History"],
        "loop": ["TrainingRun"],
    },
)
