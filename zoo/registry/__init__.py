"""What has a name: entries, registries, the catalog of built-in parts, and plugins."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["catalog"],
    submod_attrs={
        "registry": ["Entry", "Registry", "UnknownName", "normalize"],
        "catalog": ["FEATURIZERS", "MODELS", "OPTIMIZERS"],
        "plugins": ["load_plugins", "register_featurizer", "register_model", "register_optimizer"],
    },
)
