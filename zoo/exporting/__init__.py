"""Trained models as one file that takes SMILES, without molzoo or torch: ONNX, a zip of it, or a program of torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
