"""Numbers that the authors' own code computed, and the weights it computed them with (see fixtures/README.md)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from support.places import FIXTURES

HERE = Path(__file__).parents[1] / "models"
SHARED = FIXTURES


def drawn_weights(shapes, seed):
    """The weights that a fixture was computed with, from its names and shapes: float64 tensors by name."""
    generator, weights = np.random.RandomState(seed), {}
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        values = generator.standard_normal(shape)
        if name.endswith("num_batches_tracked"):
            values = np.zeros(shape, dtype=np.int64)
        elif name.endswith("running_var"):
            values = 0.5 + values**2
        elif len(shape) > 1:
            values = values * shape[-1] ** -0.5 if shape[-1] > 2 else 0.3 * values
        else:
            is_gain = name.endswith("a_2") or (name.endswith("weight") and ("norm" in name or "ln_" in name))
            values = 0.2 * values + is_gain
        weights[name] = torch.from_numpy(np.asarray(values))
    return weights


class ModelFixture:
    """Scores of a complete model; its weights are drawn from a seed."""

    def __init__(self, *place):
        arrays = np.load(HERE.joinpath("fixtures", *place), allow_pickle=False)
        self.smiles = arrays["smiles"].tolist()
        self.weights = drawn_weights(json.loads(str(arrays["shapes"])), int(arrays["seed"]))
        self.scores = {name[7:]: torch.from_numpy(arrays[name]) for name in arrays if name.startswith("scores/")}

    def categories(self, featurizer):
        """A batch of its molecules with the element of an atom and the type of a bond as the only features."""
        from featurizers import PackedMolecules

        molecules = featurizer.collate(
            PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles)) for smiles in self.smiles])
        )
        molecules.graph.ndata["feat"] = molecules.atom_feats[:, :43].double()
        molecules.graph.edata["feat"] = molecules.bond_feats[:, :4].double()
        return molecules


class LayerFixture:
    """Inputs, weights and outputs of one layer, from the shared folder; skips where that is absent."""

    def __init__(self, name):
        path = SHARED / "layers" / f"{name}.npz"
        if not path.exists():
            pytest.skip("the fixtures of single layers are not here: set MOLZOO_FIXTURES to the folder of the full set")
        parts = {"weight": {}, "input": {}, "output": {}, "graph": {}}
        with np.load(path, allow_pickle=False) as arrays:
            for key in arrays:
                kind, _, rest = key.partition("/")
                parts[kind][rest] = torch.from_numpy(arrays[key])
        self.weights, self.inputs, self.outputs, self.graph = parts.values()
