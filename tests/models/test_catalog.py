"""Every model of the catalog keeps the contract of a model; a new entry is tested by being there."""

import copy
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from support.catalog import (
    AWKWARD,
    MOLECULES,
    NAMES,
    batch,
    build,
    close,
    every_model,
    every_small_model,
    featurizer_of,
    gradients,
    is_large,
    tensors_of,
)

import zoo
from zoo.registry.catalog import MODELS


@every_model
def test_the_entry_says_what_it_is(name):
    entry = MODELS[name]
    assert entry.summary
    assert entry.reference
    assert entry.facts["featurizer"] in zoo.catalog.FEATURIZERS
    cls = entry.resolve()
    accepted = {field.name for field in dataclasses.fields(cls.config_class)}
    assert entry.defaults.keys() <= accepted
    with torch.device("meta"):
        model = cls(cls.config_class(**entry.defaults))
    assert isinstance(model.encoder, torch.nn.Module)
    assert isinstance(model.head, torch.nn.Module)
    assert sum(p.numel() for p in model.parameters()) > 0


@every_small_model
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("num_tasks", [1, 3])
def test_shapes(name, task, num_tasks):
    model = build(name, num_tasks=num_tasks, task=task).model.eval()
    graph = batch(name)
    with torch.no_grad():
        scores = model(graph)
        vectors = model.embed(graph)
    assert scores.shape == (len(MOLECULES), num_tasks)
    assert scores.isfinite().all()
    assert vectors.dim() == 2
    assert len(vectors) == len(MOLECULES)


@every_small_model
@pytest.mark.parametrize("training", [False, True])
def test_a_second_forward_is_the_same_and_the_batch_stays_as_it_was(name, training):
    model = build(name).model.train(training)
    graph = batch(name)
    before = {key: value.clone() for key, value in tensors_of(graph).items()}
    outputs = []
    for _ in range(2):
        torch.manual_seed(3)
        outputs.append(model(graph))
    assert torch.equal(*outputs)
    after = tensors_of(graph)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], before[key]) for key in before)


@every_small_model
def test_alone_as_in_a_batch(name):
    model = build(name, num_tasks=2).model.eval()
    with torch.no_grad():
        together = model(batch(name))
        alone = torch.cat([model(batch(name, [smiles])) for smiles in MOLECULES])
    close(alone, together)


@every_small_model
def test_descriptors_join_the_readout(name):
    featurizer = copy.copy(featurizer_of(name))
    featurizer.descriptor_size = 3
    model = build(name, num_tasks=2, featurizer=featurizer).model.double().eval()
    graph = batch(name)
    with pytest.raises(ValueError, match=r"needs descriptors \(B, 3\) and the batch has none"):
        model(graph)
    torch.manual_seed(0)
    graph.descriptors = torch.randn(len(MOLECULES), 3, dtype=torch.float64)
    before, vectors = model(graph), model.embed(graph)
    graph.descriptors[1] += 10
    changed = (model(graph) - before).abs().amax(1)
    assert changed[1] > 1e-6
    assert (changed > 0).sum() == 1
    assert torch.equal(model.embed(graph), vectors)


@every_small_model
def test_atom_order_does_not_matter(name):
    reason = MODELS[name].facts.get("order_dependent")
    if reason:
        pytest.skip(f"depends on the order of atoms: {reason}")
    model = build(name, num_tasks=2).model.double().eval()
    # Features of chirality are relative to the order of neighbours: molecules without stereocentres only.
    achiral = [smiles for smiles in (*MOLECULES, "C12C3C4C1C5C2C3C45", "c1ccc2cc3ccccc3cc2c1") if "@" not in smiles]

    @settings(max_examples=12, deadline=None)
    @given(st.sampled_from(achiral), st.randoms(use_true_random=False))
    def same(smiles, random):
        mol = Chem.MolFromSmiles(smiles)
        order = list(range(mol.GetNumAtoms()))
        random.shuffle(order)
        with torch.no_grad():
            close(model(batch(name, [Chem.RenumberAtoms(mol, order)])), model(batch(name, [smiles])), 1e-6)

    same()


@every_small_model
@pytest.mark.parametrize("smiles", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_molecules_predict_and_train(name, smiles):
    model = build(name, num_tasks=2).model
    graph = batch(name, [smiles])
    scores, grads = gradients(model, graph)
    assert scores.isfinite().all()
    assert all(grad.isfinite().all() for grad in grads.values())
    with torch.no_grad():
        assert model.eval()(graph).isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if is_large(name)])
def test_large_variants_have_their_size_and_name(name):
    entry = MODELS[name]
    cls = entry.resolve()
    with torch.device("meta"):
        model = cls(cls.config_class(**entry.defaults))
    assert sum(p.numel() for p in model.parameters()) > 20e6


def test_an_object_that_would_ignore_descriptors_is_refused():
    featurizer, model = copy.copy(featurizer_of("gcn")), build("gcn").model
    zoo.build(model, featurizer=featurizer, device="cpu")
    featurizer.descriptor_size = 3
    with pytest.raises(ValueError, match=r"GCN reads no descriptors .* gives 3"):
        zoo.build(model, featurizer=featurizer, device="cpu")
