"""Applicability domain: what a model was trained on, and how much new molecules resemble it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
