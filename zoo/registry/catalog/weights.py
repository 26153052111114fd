"""Every pre-trained encoder that the package ships.

The target of an entry is the folder of a checkpoint. Its name stands for the folder wherever a checkpoint is read:
`--init NAME`, `zoo.build(init=NAME)`, `molzoo embed NAME`.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

WEIGHTS: Registry[Any] = Registry("pre-trained encoder")

WEIGHTS.add(
    Entry(
        "grover_chembl_30k",
        "zoo.runs.shipped_weights:GROVER_CHEMBL_30K",
        "GROVER (hidden 64, 3 layers) after 5 epochs of GROVER's pre-training on 28,500 molecules",
        "molecules of ChEMBL (through MoleculeACE 3.0.0, CC BY-SA 3.0), of NCI and of WEHI (data files of RDKit)",
        facts={"model": "grover"},
    )
)
