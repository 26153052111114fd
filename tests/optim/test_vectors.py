"""Arithmetic over many tensors, against the same over one long float64 vector."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
from optim.vectors import Flaw, global_norm

shapes = st.lists(st.lists(st.integers(1, 5), max_size=3).map(tuple), min_size=1, max_size=5)


def pair(shapes, seed):
    generator = torch.Generator().manual_seed(seed)
    tensors = [[torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes] for _ in "ab"]
    return optim.Vector(tensors[0]), optim.Vector(tensors[1])


def flat(vector):
    return torch.cat([t.reshape(-1) for t in vector.tensors])


@settings(max_examples=50, deadline=None)
@given(shapes, st.integers(0, 2**31), st.floats(-3, 3))
def test_equal_to_one_long_vector(shapes, seed, factor):
    a, b = pair(shapes, seed)
    x, y = flat(a), flat(b)
    assert a.norm == pytest.approx(x.norm().item())
    assert a.dot(b).item() == pytest.approx((x @ y).item(), abs=1e-12)
    torch.testing.assert_close(flat(a.plus(b, factor)), x + factor * y)
    torch.testing.assert_close(flat(a.unit()), x / x.norm())
    torch.testing.assert_close(flat(a.times(b.tensors)), x * y)
    assert a.cosine(b).item() == pytest.approx(torch.cosine_similarity(x, y, dim=0).item(), abs=1e-12)
    assert a.orthogonal_to(b).dot(b).item() == pytest.approx(0, abs=1e-12)
    assert all(t.norm() <= 0.5 + 1e-12 for t in a.clipped(0.5).tensors)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_nothing_is_orthogonal_in_one_dimension(a, b):
    a, b = (optim.Vector([torch.tensor([value], dtype=torch.float64)]) for value in (a, b))
    assert a.orthogonal_to(b).norm == (0.0 if b.usable else a.norm)


def test_norms_of_half_precision_are_summed_in_float32():
    tensors = [torch.full((4097,), 0.5, dtype=torch.bfloat16), torch.full((3,), 2.0)]
    assert global_norm(tensors).item() == pytest.approx((4097 * 0.25 + 12) ** 0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("value", "flaw"), [(1.0, Flaw.NONE), (0.0, Flaw.TOO_SHORT), (1e-300, Flaw.TOO_SHORT), (torch.inf, Flaw.NOT_FINITE)]
)
def test_flaws(value, flaw):
    assert optim.Vector([torch.tensor([value, 0.0], dtype=torch.float64)]).flaw is flaw


def test_noam_gives_groups_added_later_a_multiplier_of_1():
    base = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    arguments = {"steps_per_epoch": 5, "init_lr": 1e-4, "max_lr": 1e-3, "final_lr": 1e-4}
    scheduler = optim.NoamLR(base, warmup_epochs=1, total_epochs=2, multipliers=[3.0], **arguments)
    base.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))]})
    base.step()
    scheduler.step()
    assert base.param_groups[0]["lr"] == pytest.approx(3 * base.param_groups[1]["lr"])
    assert base.param_groups[1]["lr"] == pytest.approx(2.8e-4)


def test_clipping_to_a_radius_below_the_smallest_number_gives_zero():
    vanishing = optim.Vector([torch.tensor([1e-42]), torch.tensor([1e-42, 1.0])]).clipped(4e-48)
    assert [t.tolist() for t in vanishing.tensors] == [[0.0], [0.0, 0.0]]
