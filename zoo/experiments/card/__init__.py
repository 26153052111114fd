"""The card of a run: one page that tells whether its model can be trusted, and where not."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
