"""Named parts: entries, registries, the catalog of built-in parts, and plugins."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
