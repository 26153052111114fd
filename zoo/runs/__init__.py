"""Files of runs: run folders, checkpoints, locks, and the facts about machine and process."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
