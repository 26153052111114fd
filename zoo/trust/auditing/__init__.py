"""Audit of a data set: what in it would mislead a model, or those who read its metrics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
