"""A trained learner at work on files: in chunks, in order, on all cores, and continued where it was cut off."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "files": ["FileSummary", "predict_file"],
    },
)
