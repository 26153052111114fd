"""Ensembles from one recipe: a member for each seed or fold, trained alone, measured together."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
