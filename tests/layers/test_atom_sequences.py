"""The bidirectional GRU without padding against torch's on one sequence at a time, and CoMPT's norms."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from zoo.layers.atom_sequences import cudnn_where_it_serves, read_both_ways, time_major
from zoo.layers.message_passing import use_torch
from zoo.layers.norms import ScaleNorm, UnbiasedLayerNorm

SIZES = [3, 1, 7, 7, 2]


def test_order_of_atoms():
    order, forwards, backwards, counts = time_major(torch.tensor([2, 3]))
    assert order.tolist() == [1, 0]
    assert forwards.tolist() == [2, 0, 3, 1, 4]
    assert backwards.tolist() == [4, 1, 3, 0, 2]
    assert counts.tolist() == [2, 2, 1]


def test_every_molecule_is_read_alone():
    torch.manual_seed(0)
    gru = nn.GRU(6, 6, bidirectional=True).double()
    x = torch.randn(sum(SIZES), 6, dtype=torch.float64, requires_grad=True)
    start = torch.randn(len(SIZES), 6, dtype=torch.float64, requires_grad=True)
    leaves = [x, start, *gru.parameters()]
    got = read_both_ways(gru, torch.tensor(SIZES), x, start)
    parts = [gru(part, state.expand(2, -1).contiguous())[0] for part, state in zip(x.split(SIZES), start, strict=True)]
    expected = torch.cat(parts)
    torch.testing.assert_close(got, expected)
    weights = torch.randn_like(expected)
    grads = torch.autograd.grad((got * weights).sum(), leaves)
    for grad, other in zip(grads, torch.autograd.grad((expected * weights).sum(), leaves), strict=True):
        torch.testing.assert_close(grad, other)
    packed = pack_sequence(list(x.split(SIZES)), enforce_sorted=False)
    assert packed.batch_sizes.tolist() == time_major(torch.tensor(SIZES))[3].tolist()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_unbiased_layer_norm_is_its_formula(scale):
    torch.manual_seed(0)
    norm = UnbiasedLayerNorm(9).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (scale * (torch.randn(4, 9, dtype=torch.float64) + 3)).requires_grad_()
    expected = norm.weight * (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-6) + norm.bias
    torch.testing.assert_close(norm(x), expected)
    got, other = (torch.autograd.grad(y.square().sum(), x)[0] for y in (norm(x), expected))
    torch.testing.assert_close(got, other, rtol=1e-6, atol=1e-9 / scale)


def test_norms_of_constant_rows_are_finite():
    for norm in (UnbiasedLayerNorm(5), ScaleNorm(5)):
        x = torch.zeros(2, 5, requires_grad=True)
        norm(x).sum().backward()
        assert x.grad.isfinite().all()
        assert norm(x).isfinite().all()


def test_scale_norm_is_its_formula():
    x = torch.randn(4, 9)
    torch.testing.assert_close(ScaleNorm(9)(x), 3 * x / x.norm(dim=1, keepdim=True))


@pytest.mark.parametrize(
    ("training", "grad", "forced", "serves"),
    [(True, True, False, True), (False, True, False, False), (False, False, False, True), (True, True, True, False)],
)
def test_cudnn_is_used_where_it_has_the_gradients(training, grad, forced, serves):
    gru = torch.nn.GRU(2, 2).train(training)
    with torch.set_grad_enabled(grad), use_torch() if forced else nullcontext(), cudnn_where_it_serves(gru):
        assert torch.backends.cudnn.enabled == serves
    assert torch.backends.cudnn.enabled
