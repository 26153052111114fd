"""Molecules to packed graphs, a store on disk, and batches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "featurizing": ["FeaturizedMolecules", "featurize"],
        "loader": ["Batch", "MoleculeLoader"],
    },
)
