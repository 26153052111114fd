"""Estimators of scikit-learn: any model of the zoo on lists of SMILES."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
