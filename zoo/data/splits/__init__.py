"""Train, validation and test parts, and what is in them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "splitting": ["PART_NAMES", "SPLIT_NAMES", "Split", "split_dataset"],
        "report": ["SplitReport"],
    },
)
