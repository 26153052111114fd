"""Sharpness of minima: loss rise in a ball, curvature, slices of the loss landscape, a callback for TensorBoard."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
