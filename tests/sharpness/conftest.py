from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo.data import MoleculeDataset

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "CCCC", "c1ccncc1", "CC(C)O", "CCS", "OCCO", "CCCl", "C1CCCC1", "CC#N"]


@pytest.fixture(scope="module")
def dataset() -> MoleculeDataset:
    targets = (np.arange(len(SMILES)) % 2).astype(np.float32)[:, None]
    return MoleculeDataset("few", SMILES, targets, ("active",), "classification")


@pytest.fixture(scope="module")
def grover():
    return zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2}, optimizer="graphsam", device="cpu")
