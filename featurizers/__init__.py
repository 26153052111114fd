"""SMILES to graphs: pure functions of one molecule, without parameters, labels or randomness."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
