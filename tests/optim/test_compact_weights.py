"""Small models are worked on in one piece: the same numbers as tensor by tensor."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from support.optim_models import Task, every_rule

import optim
from optim import layout
from optim.layout import Layout

WEIGHTS = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(()))]


@pytest.mark.parametrize(
    ("weights", "compact"),
    [
        (WEIGHTS, True),
        ([torch.zeros(2, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)], True),
        (WEIGHTS[:1], False),
        ([], False),
        ([*WEIGHTS, torch.zeros(1, dtype=torch.float64)], False),
        ([torch.zeros(2, dtype=torch.bfloat16)] * 2, False),
        ([torch.zeros(2, dtype=torch.complex64)] * 2, False),
        ([torch.zeros(2, device="meta")] * 2, False),
        ([torch.zeros(2).to_sparse()] * 2, False),
        ([torch.zeros(layout.MOST_ENTRIES), torch.zeros(1)], False),
    ],
)
def test_compact(weights, compact):
    assert Layout(weights).compact is compact


def test_a_layout_fits_the_same_forms_only():
    own = Layout(WEIGHTS)
    assert own.fits([torch.zeros(2, 3), torch.zeros(())])
    assert not own.fits([torch.zeros(3, 2), torch.zeros(())])
    assert not own.fits([weight.double() for weight in WEIGHTS])
    assert not own.fits(WEIGHTS[:1])


def test_the_copy_is_kept_from_step_to_step():
    own, weights = Layout(WEIGHTS), [weight.detach() + 1 for weight in WEIGHTS]
    first = own.copy_of(weights)
    pointers = [t.data_ptr() for t in first]
    weights[0].add_(1)
    assert [t.data_ptr() for t in own.copy_of(weights)] == pointers
    torch.testing.assert_close(own.copy_of(weights), weights)


def test_a_joined_vector_moves_with_its_whole():
    parts = [torch.randn(2, 3), torch.randn(()), torch.randn(4).flip(0)]
    vector = optim.Vector(parts, compact=True).joined()
    other = optim.Vector([torch.randn_like(t) for t in parts], compact=True)
    expected = vector.averaged(other, 0.3)
    vector.move_towards(other, 0.3)
    torch.testing.assert_close(vector.tensors, expected.tensors)
    assert [t.shape for t in vector.tensors] == [t.shape for t in parts]
    assert vector.joined() is vector
    apart = optim.Vector(parts)
    assert apart.joined() is apart
    assert apart.norm == pytest.approx(optim.Vector(parts, compact=True).norm)


def change_on_the_way(task: Task) -> torch.Tensor:
    """Freeze weights and thaw them, in the middle of an epoch, and load the state into a copy."""
    task.run(4)
    weight = next(task.model.parameters())
    for required in (False, True):
        weight.requires_grad_(required)
        task.run(2)
    task.optimizer.load_state_dict(task.optimizer.state_dict())
    task.run(1)
    task.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(2, dtype=torch.float64))]})
    return task.run(5)


@every_rule
def test_equal_to_the_same_tensor_by_tensor(rule, monkeypatch):
    found = change_on_the_way(Task(rule))
    monkeypatch.setattr(layout, "MOST_ENTRIES", 0)
    torch.testing.assert_close(found, change_on_the_way(Task(rule)), rtol=1e-12, atol=1e-12)


def test_graphsam_keeps_its_direction_in_one_tensor():
    task = Task("graphsam")
    task.run(2)
    vector = task.optimizer.carried_direction(task.optimizer.param_groups[0]["params"])
    assert vector.whole is not None
    torch.testing.assert_close(vector.whole, torch.cat([t.flatten() for t in vector.tensors]))


def shuffled(state: dict) -> dict:
    """The state with the positions of the memory in the order of strings, as a format that sorts them leaves it."""
    memory = state["sharpness_aware"]["memory"]
    state["sharpness_aware"]["memory"] = {name: dict(sorted(known.items())[::-1]) for name, known in memory.items()}
    return state


@every_rule
def test_a_resumed_run_is_bit_equal_in_whatever_order_weights_are_remembered(rule):
    def unfrozen_late(task: Task) -> Task:
        weight = next(task.model.parameters()).requires_grad_(False)
        task.run(1)
        weight.requires_grad_(True)
        task.run(4)
        return task

    whole = unfrozen_late(Task(rule, dtype=torch.float32))
    other = Task(rule, dtype=torch.float32)
    other.model.load_state_dict(whole.model.state_dict())
    other.optimizer.load_state_dict(shuffled(copy.deepcopy(whole.optimizer.state_dict())))
    other.at = whole.at
    assert torch.equal(other.run(5), whole.run(5))


def test_a_pickled_state_has_each_number_once():
    weights = [torch.nn.Parameter(torch.randn(50, 50)) for _ in range(20)]
    optimizer = optim.GraphSAM(torch.optim.SGD(weights, lr=0.1))

    def closure():
        loss = sum(weight.square().sum() for weight in weights)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert optimizer.carried_direction(weights).whole is not None
    for part in (optimizer.state_dict(), optimizer):
        assert len(pickle.dumps(part)) < 2.5 * 4 * 20 * 2500
