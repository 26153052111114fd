"""Every model of the catalog learns, is saved and shared, and computes the same on every path."""

import copy
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from support.catalog import (
    MOLECULES,
    batch,
    build,
    close,
    every_model,
    every_small_model,
    gradients,
)
from support.places import ROOT
from support.scripts import load_script

import zoo
from featurizers import MoleculeGraph
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import use_torch

by_heart = load_script(ROOT / "benchmarks" / "pays" / "by_heart.py")


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
    assert any(by_heart.learns(name, {}, seed) for seed in range(3)), "300 steps did not learn 16 labels"


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
