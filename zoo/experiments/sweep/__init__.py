"""Many runs from one specification, on several processes, and the store of their results."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "planned": ["PlannedRun"],
        "specification": ["Sweep"],
        "results": ["ResultRow", "ResultsStore"],
        "workers": ["run_sweep"],
    },
)
