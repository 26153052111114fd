"""The models of the catalog in a small size, batches of molecules for each, and what their tests compare."""

import dataclasses
from functools import cache

import pytest
import torch

import zoo
from featurizers import PackedMolecules
from zoo.learners.baselines import TaskEstimators
from zoo.learners.factory import recipe_for
from zoo.learners.parts import make_featurizer
from zoo.registry.catalog import MODELS
from zoo.tasks import Binary, objective_for

NAMES = [entry.name for entry in MODELS if not issubclass(entry.resolve(), TaskEstimators)]
# Options that keep a model small, where it has them.
SMALL = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "bond_hidden_size": 16, "readout_steps": 2}
MOLECULES = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "C",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "[Na+].[Cl-]",
    "F/C=C/Cl",
    "C1CC2CCC1CC2",
    "CC(C)(C)[S@@](=O)N",
    "[O-][N+](=O)c1ccc(Br)cc1",
    "*c1ccncc1",
    "CCO.CCN",
    "[U]",
    "N#CC1CC1",
)
AWKWARD = {
    "single atom": "C",
    "single ion": "[Na+]",
    "fragments": "CC[NH3+].[Cl-].O",
    "unknown element": "[Og]",
    "dummy atom": "*",
    "isotope and radical": "[13CH3]",
    "300 heavy atoms": "NCC(=O)" * 75,
}


def is_large(name):
    return any(value > 400 for value in MODELS[name].defaults.values() if isinstance(value, int))


every_model = pytest.mark.parametrize("name", NAMES)
every_small_model = pytest.mark.parametrize("name", [name for name in NAMES if not is_large(name)])


def build(name, small=SMALL, **options):
    fields = {field.name for field in dataclasses.fields(MODELS[name].resolve().config_class)}
    chosen = {option: value for option, value in small.items() if option in fields}
    return zoo.build(name, model_args=chosen, device="cpu", **options)


@cache
def featurizer_of(name):
    recipe = recipe_for(name)
    return make_featurizer(recipe.featurizer, recipe)


@cache
def encoded(name, smiles):
    featurizer = featurizer_of(name)
    return featurizer.encode(featurizer.parse(smiles))


def batch(name, molecules=MOLECULES):
    """A new batch; molecules are SMILES or RDKit molecules."""
    featurizer = featurizer_of(name)
    arrays = [
        encoded(name, m) if isinstance(m, str) else featurizer.encode(featurizer.parse(m)) for m in list(molecules)
    ]
    return featurizer.collate(PackedMolecules.pack(arrays))


def tensors_of(graph):
    """All fields of a batch by name."""
    found = {"descriptors": graph.descriptors}
    for part in ("graph", "pairs"):
        structure = getattr(graph, part)
        if structure is not None:
            found |= {f"{part}.ndata.{key}": value for key, value in getattr(structure, "ndata", {}).items()}
            found |= {f"{part}.edata.{key}": value for key, value in structure.edata.items()}
            found |= dict(zip((f"{part}.source", f"{part}.destination"), structure.edges(), strict=True))
    return {key: value for key, value in found.items() if value is not None}


def close(got, expected, tolerance=1e-5):
    scale = max(expected.abs().max().item(), 1.0)
    assert (got - expected).abs().max().item() <= tolerance * scale


def gradients(model, graph, seed=0):
    """Scores and gradients of a loss in training mode, by parameter name."""
    model.zero_grad()
    torch.manual_seed(seed)  # of dropout and of depths that are drawn
    scores = model(graph)
    generator = torch.Generator().manual_seed(1)
    targets = torch.randint(0, 2, (graph.batch_size, 2), generator=generator).to(scores.dtype)
    objective_for(model, Binary()).of_scores(scores, targets, torch.ones_like(targets)).total.backward()
    return scores.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
