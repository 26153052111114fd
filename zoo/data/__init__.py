"""Files and frames to datasets, splits, packed graphs and batches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checking": ["DataReport", "check"],
        "dataset": ["InvalidRow", "MoleculeDataset"],
        "errors": ["DataError", "DataNotFoundError"],
        "loading": ["load"],
        "molecules": ["read_molecule"],
        "packing": ["Batch", "FeaturizedMolecules", "MoleculeLoader", "featurize"],
        "reading.sets": ["list_datasets"],
        "splits": ["SPLIT_NAMES", "Split", "split_dataset"],
        "streaming": ["RowChunk", "RowStream", "stream"],
        "writing": ["RowWriter"],
    },
)
