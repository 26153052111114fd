"""Every model of the catalog is exported, or says why it cannot be; the runner predicts what the learner does."""

import dataclasses

import numpy as np
import pytest

import molzoo_runner
import zoo
from zoo.exporting import ExportError, export_model, why_not
from zoo.learners import Baseline
from zoo.registry.catalog.models import MODELS

MOLECULES = [
    *("C", "[He]", "[Na+].[Cl-]", "CC(=O)[O-].[K+]", "C[N+](C)(C)C", "[NH4+]", "O=C=O", "C#N", "CC", "N"),
    *("c1ccccc1", "C1CC2CCC1C2", "C1CC1", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "OC(=O)c1ccccc1OC(C)=O", "F/C=C/Cl"),
    *("C[C@H](N)C(=O)O", "not a molecule", "CCCCCCCCCCCCCCCC(=O)O", "c1ccc2c(c1)ccc1ccccc12"),
]
SMALL = {
    "hidden_size": 8,
    "num_layers": 1,
    "num_heads": 2,
    "num_blocks": 1,
    "num_timesteps": 1,
    "num_steps": 2,
    "set2set_steps": 1,
    "set2set_layers": 1,
    "bond_hidden_size": 8,
}
FEWEST_LAYERS = {"gin": 2, "grover": 2, "dmpnn": 2}


def architectures():
    """The first name of each class of the catalog that is a network."""
    first = {entry.target: entry.name for entry in reversed(list(MODELS)) if not entry.facts.get("trains_itself")}
    return sorted(first.values())


def small(name, **options):
    known = {field.name for field in dataclasses.fields(MODELS[name].resolve().config_class)}
    sizes = SMALL | {"num_layers": FEWEST_LAYERS.get(name, 1)}
    return zoo.build(name, model_args={key: value for key, value in sizes.items() if key in known}, **options)


@pytest.mark.parametrize("name", architectures())
def test_the_runner_predicts_what_the_learner_does(name, tmp_path):
    learner = small(name, num_tasks=2)
    for module in learner.model.modules():  # statistics that a forgotten normalization would not have
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    export_model(learner, tmp_path / "model.zip")
    found = molzoo_runner.load(tmp_path / "model.zip", threads=1).predictions(MOLECULES)
    expected = learner.predictions(MOLECULES)
    assert found.values.shape == (len(MOLECULES), 2)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5, rtol=0)
    assert found.reasons == list(expected.reasons)
    assert found.reasons[MOLECULES.index("not a molecule")]


def test_every_model_of_the_catalog_is_exported_or_has_a_reason():
    for entry in MODELS:
        tree = issubclass(entry.resolve(), Baseline) or bool(entry.facts.get("trains_itself"))
        assert (
            tree == bool(why_not(zoo.build(entry.name)))
            if tree
            else entry.target in {MODELS[name].target for name in architectures()}
        )


def test_a_forest_says_why_it_cannot_be_exported(tmp_path):
    with pytest.raises(ExportError, match=r"^model 'random_forest' cannot be exported: trees of scikit-learn"):
        export_model(zoo.build("random_forest"), tmp_path / "forest.zip")
    assert list(tmp_path.iterdir()) == []
