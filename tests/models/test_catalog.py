"""Every model of the catalog keeps the contract of a model; a new entry is tested by being there."""

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

import zoo
from featurizers import MoleculeGraph, PackedMolecules
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import use_torch
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


@every_small_model
def test_gradients_reach_every_parameter(name):
    reached = set()
    for seed in range(4):
        model = build(name, num_tasks=2, seed=seed).model
        _, grads = gradients(model, batch(name), seed)
        assert all(grad.isfinite().all() for grad in grads.values())
        reached |= {parameter for parameter, grad in grads.items() if grad.abs().max() > 0}
    assert {parameter for parameter, _ in model.named_parameters()} - reached == set()


@every_small_model
def test_learns_sixteen_molecules_by_heart(name):
    # The weights that a small model begins with can lead nowhere: one of three beginnings must not.
    assert any(learned_by_heart(name, seed) for seed in range(3)), "300 steps did not learn 16 labels"


def learned_by_heart(name, seed):
    smiles = [f"C{'C' * n}{tail}" for n in range(4) for tail in ("O", "C(=O)N", "c1ccccc1", "Cl")]
    options = SMALL | {"dropout": 0.0, "attention_dropout": 0.0}
    learner = build(name, options, optimizer="graphsam", optimizer_args={"lr": 3e-3}, seed=seed)
    graph = batch(name, smiles)
    targets = torch.tensor([[float((n + n // 4) % 2)] for n in range(16)])
    model, optimizer = learner.model, learner.optimizer

    def closure():
        optimizer.zero_grad()
        loss = objective_for(model, Binary()).of_scores(model(graph), targets, torch.ones_like(targets)).total
        loss.backward()
        return loss

    def right():
        with torch.no_grad():
            found = (model.eval()(graph) > 0) == (targets > 0.5)
        model.train()
        return found.all()

    model.train()
    for step in range(300):
        optimizer.step(closure)
        if step % 10 == 9 and right():
            return True
    return False


@every_small_model
def test_saved_and_loaded(name, tmp_path):
    learner = build(name, num_tasks=2)
    learner.model.train()(batch(name))  # running statistics are part of a model too
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", device="cpu")
    assert not any(module.training for module in loaded.model.modules())
    np.testing.assert_array_equal(loaded.predict(list(MOLECULES)), learner.predict(list(MOLECULES)))


@every_model
def test_threads_share_a_learner(name):
    learner = build(name)
    state = copy.deepcopy(learner.model.state_dict())
    chunks = MOLECULES[:4], MOLECULES[4:]
    expected = [learner.predict(chunk, batch_size=2) for chunk in chunks]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: learner.predict(chunks[n % 2], batch_size=2), range(8)))
    for n, got in enumerate(found):
        np.testing.assert_array_equal(got, expected[n % 2])
    assert all(module.training for module in learner.model.modules())  # as it was built
    assert all(torch.equal(tensor, state[key]) for key, tensor in learner.model.state_dict().items())


@every_small_model
def test_float64(name):
    model = build(name, num_tasks=2).model.eval()
    graph = batch(name)
    with torch.no_grad():
        single = model(graph)
        double = model.double()(graph)
    assert double.dtype == torch.float64
    close(single.double(), double, 1e-4)
    _, grads = gradients(model.train(), graph)
    assert all(grad.dtype == torch.float64 for grad in grads.values())


@every_small_model
@pytest.mark.parametrize("path", ["use_torch", "TensorGraph"])
def test_torch_sums_equal_dgl_kernels(name, path):
    model = build(name, num_tasks=2).model.double()
    state = copy.deepcopy(model.state_dict())
    graph = batch(name)
    expected, expected_grads = gradients(model, graph)
    model.load_state_dict(state)
    if path == "use_torch":
        with use_torch():
            scores, grads = gradients(model, graph)
    else:
        without_dgl = MoleculeGraph(TensorGraph.from_dgl(graph.graph), graph.pairs, graph.descriptors)
        scores, grads = gradients(model, without_dgl)
    close(scores, expected, 1e-10)
    assert grads.keys() == expected_grads.keys()
    for parameter, grad in grads.items():
        close(grad, expected_grads[parameter], 1e-10)


@every_small_model
def test_a_pass_reads_nothing_from_the_device(name, monkeypatch):
    """So that the process can run ahead of a GPU. Tensors on torch's "meta" device have no values: what needs one
    (`item`, `tolist`, a mask as an index, a length that depends on values) fails there.
    """
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: False)  # torch knows none on this device
    monkeypatch.setattr(torch, "autocast", lambda *args, **options: nullcontext())
    model = build(name, num_tasks=2).model.train().to("meta")
    scores = model(batch(name).to("meta"))
    scores.sum().backward()
    assert all(p.grad.device.type == "meta" for p in model.parameters() if p.grad is not None)


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
