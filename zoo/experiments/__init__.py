"""Experiments: one run, ensembles of seeds and folds, many runs from a specification, a report, hyperparameters.

`cross_validate` and `train_seeds` train the members of an ensemble and measure them together.
`Sweep.read` reads a specification, `run_sweep` does its runs, `ResultsFolder` keeps one folder for each, `write_report`
shows what came out, `tune` searches hyperparameters.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
