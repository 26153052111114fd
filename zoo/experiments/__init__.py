"""Experiments: one run, many runs from a specification, a report, and the search for hyperparameters.

`Sweep.read` reads a specification, `run_sweep` does its runs, `ResultsFolder` keeps one folder for each, `write_report`
shows what came out, `tune` searches hyperparameters.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
