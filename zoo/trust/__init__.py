"""Trust in predictions: uncertainty, its calibration and evaluation, the domain, reasons, a card."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
