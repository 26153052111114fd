"""The levers of the sharpness-aware rules, as options of a learner."""

from __future__ import annotations

import pytest
import torch

import zoo

SMALL = {"hidden_size": 8, "num_layers": 2}


@pytest.fixture(scope="module")
def data():
    smiles = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "F")]
    return zoo.data.load((smiles, [float(len(s)) for s in smiles]), task="regression")


def fitted(data, model="gcn", size=None, **options):
    learner = zoo.build(model, optimizer="sam", dataset=data, model_args=size or {}, optimizer_args=options)
    history = learner.fit(data, split=None, epochs=4, batch_size=8, progress=False)
    return learner, history


def test_norms_alone_are_perturbed_on_request(data):
    learner = zoo.build("grover", optimizer="sam", model_args=SMALL, optimizer_args={"perturb": "norms", "rho": 0.3})
    perturbed, rest = learner.optimizer.param_groups
    norms = {id(p) for m in learner.model.modules() if isinstance(m, torch.nn.LayerNorm) for p in m.parameters()}
    assert {id(p) for p in perturbed["params"]} == norms
    assert rest["perturb"] is False
    assert len(perturbed["params"]) + len(rest["params"]) == sum(p.requires_grad for p in learner.model.parameters())
    assert fitted(data, "grover", SMALL, perturb="norms")[1].passes == 24
    with pytest.raises(ValueError, match="choose all, or norms"):
        zoo.build("grover", optimizer="sam", model_args=SMALL, optimizer_args={"perturb": "some"})
    with pytest.raises(TypeError, match="has no option 'perturb'"):
        zoo.build("grover", optimizer="adam", model_args=SMALL, optimizer_args={"perturb": "norms"})
    assert "perturb" in str(zoo.describe("sam"))


def test_perturbing_starts_late(data):
    assert [epoch.passes for epoch in fitted(data, start=0.5)[1].epochs] == [3, 3, 6, 6]


def test_the_ascent_takes_part_of_the_molecules(data):
    learner, history = fitted(data, ascent_share=0.25, rise=0.03)
    assert history.passes == 24
    assert learner.optimizer.last.rho > 0
