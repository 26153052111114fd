"""What is in a source and what will trouble training."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "scan": ["check"],
        "report": ["DataReport", "TaskSummary"],
    },
)
