"""Checkpoints that do not hold their full configuration: their models compute what they did when they were saved."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from featurizers import CanonicalFeaturizer, PackedMolecules, StructuralFeaturizer
from zoo.models.egt import EGT
from zoo.models.gps import GPS
from zoo.models.graphormer import Graphormer
from zoo.models.grit import GRIT
from zoo.models.mat import MAT

FOLDER = Path(__file__).parent / "fixtures" / "legacy"
MODELS = {"graphormer": Graphormer, "grit": GRIT, "egt": EGT, "mat": MAT, "mat_exp": MAT, "gps": GPS, "gps_layer": GPS}


@pytest.fixture(params=MODELS)
def saved(request):
    """Class of a model, the options of its recipe, and what was saved."""
    arrays = np.load(FOLDER / f"{request.param}.npz", allow_pickle=False)
    return MODELS[request.param], json.loads(str(arrays["options"])), arrays


def test_old_weights_give_the_old_scores(saved):
    cls, options, arrays = saved
    model = cls(cls.config_class(**{**cls.config_class.legacy_defaults, **options})).eval()
    weights = {name[7:]: torch.from_numpy(arrays[name]) for name in arrays if name.startswith("weight/")}
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    assert shapes == {name: value.shape for name, value in weights.items()}
    model.load_state_dict(weights)
    featurizer = CanonicalFeaturizer(pairs=True, path_length=5, random_walks=6)
    if cls is GPS:
        featurizer = StructuralFeaturizer(walk_steps=4)
    encoded = [featurizer.encode(featurizer.parse(smiles)) for smiles in arrays["smiles"].tolist()]
    molecules = featurizer.collate(PackedMolecules.pack(encoded))
    if "laplacian" in arrays:  # whose signs differ between machines
        molecules.graph.ndata["laplacian"] = torch.from_numpy(arrays["laplacian"])
    scores = model.double()(molecules)
    torch.testing.assert_close(scores, torch.from_numpy(arrays["scores"]), rtol=1e-12, atol=1e-12)


def test_legacy_defaults_are_options_that_changed(saved):
    config_class = saved[0].config_class
    defaults = {field.name: field.default for field in dataclasses.fields(config_class)}
    changed = dict(config_class.legacy_defaults)
    assert changed.pop("descriptor_size", 0) == 0  # which the factory sets; most of these models did not have it
    assert all(name in defaults and defaults[name] != value for name, value in changed.items())
