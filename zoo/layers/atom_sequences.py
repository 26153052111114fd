"""Recurrent nets over the atoms of each molecule, without padding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from zoo.layers.message_passing import is_torch_forced

GRU_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def time_major(sizes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return how to lay out atoms for a recurrent net: first atoms of all molecules, then second atoms, ...

    Args:
        sizes: Atoms of each molecule (B,), on the CPU.

    Returns:
        Molecules from long to short (B,); atoms in the new order (N,); the same for reading backwards: last atoms, last
        but one, ... (N,); molecules that have a k-th atom (most atoms,). All are on the CPU.
    """
    order = sizes.argsort(descending=True, stable=True)
    steps = torch.arange(int(sizes.max()), device=sizes.device).unsqueeze(1)
    present = steps < sizes[order]
    starts = (sizes.cumsum(0) - sizes)[order]
    forwards = (starts + steps)[present]
    backwards = (starts + sizes[order] - 1 - steps)[present]
    return order, forwards, backwards, present.sum(1)


def read_both_ways(gru: nn.GRU, sizes: Tensor, x: Tensor, start: Tensor) -> Tensor:
    """The outputs of a bidirectional GRU that reads the atoms of each molecule.

    On the CPU both directions advance in one loop, which took 0.6 of the time of torch's GRU for packed sequences
    (forward and backward; B = 32, D = 256); on a GPU torch's own is used.

    Args:
        gru: One layer, bidirectional, D to D.
        sizes: Atoms of each molecule (B,), on the CPU.
        x: Atoms (N, D), molecule after molecule.
        start: Initial state of both directions (B, D).

    Returns:
        Outputs (N, 2D), forward and backward side by side.
    """
    *places, counts = time_major(sizes)
    order, forwards, backwards = (place.to(x.device, non_blocking=True) for place in places)
    state = start.index_select(0, order).expand(2, -1, -1)
    if x.is_cuda:
        with cudnn_where_it_serves(gru):
            packed, _ = gru(PackedSequence(x.index_select(0, forwards), counts), state.contiguous())
        return packed.data.index_select(0, forwards.argsort())
    inputs = torch.stack([x.index_select(0, forwards), x.index_select(0, backwards)])
    outputs = _advance(gru, inputs, state, counts.tolist())
    ways = zip(outputs, (forwards, backwards), strict=True)
    return torch.cat([output.index_select(0, atoms.argsort()) for output, atoms in ways], dim=1)


def onnx_gru(gru: nn.GRU, x: Tensor, sizes: Tensor, start: Tensor) -> Tensor:
    """The outputs of a bidirectional GRU as the operator of ONNX, which stops at the end of each sequence.

    Only a trace for ONNX can hold it; it computes nothing here.

    Args:
        gru: One layer, bidirectional, D to D.
        x: Sequences, padded (L, B, D).
        sizes: Their lengths (B,).
        start: Initial state of both directions (B, D).

    Returns:
        (L, 2, B, D), the forward direction first.

    Raises:
        NotImplementedError: This torch has no such operators (they came with 2.8).
    """
    operators = getattr(torch.onnx, "ops", None)
    if operators is None:
        raise NotImplementedError("a GRU of ONNX needs torch 2.8 or newer")
    (L, B, _), D = x.shape, gru.hidden_size
    # ONNX lists update gate, reset gate, candidate, where torch has the reset gate first.
    weights = [_update_gate_first(torch.stack(_both_ways(gru, name)), D) for name in GRU_WEIGHTS]
    biases = torch.cat(weights[2:], dim=1)
    inputs = (x, weights[0], weights[1], biases, sizes.to(torch.int32), start.expand(2, -1, -1).contiguous())
    attributes = {"hidden_size": D, "direction": "bidirectional", "linear_before_reset": 1}
    return operators.symbolic("GRU", inputs, attributes, dtype=x.dtype, shape=(L, 2, B, D), version=14)


def _update_gate_first(weight: Tensor, size: int) -> Tensor:
    reset, update, new = weight.split(size, dim=1)
    return torch.cat([update, reset, new], dim=1)


@contextmanager
def cudnn_where_it_serves(gru: nn.GRU) -> Iterator[None]:
    """Inside this block torch's own kernels replace cuDNN's where those have no gradient.

    cuDNN differentiates recurrent nets in training mode only, and only once.
    """
    if torch.is_grad_enabled() and (not gru.training or is_torch_forced()):
        with torch.backends.cudnn.flags(enabled=False):
            yield
    else:
        yield


def _advance(gru: nn.GRU, inputs: Tensor, state: Tensor, counts: list[int]) -> Tensor:
    """Both directions at once: inputs (2, N, D), time-major, and states (2, B, D) to outputs (2, N, D)."""
    D = inputs.shape[2]
    weights = {name: torch.stack(_both_ways(gru, name)) for name in GRU_WEIGHTS}
    from_state, state_bias = weights["weight_hh"].transpose(1, 2), weights["bias_hh"].unsqueeze(1)
    from_inputs = torch.baddbmm(weights["bias_ih"].unsqueeze(1), inputs, weights["weight_ih"].transpose(1, 2))
    outputs = []
    for gates in from_inputs.split(counts, dim=1):
        state = state[:, : gates.shape[1]]
        recurrent = torch.baddbmm(state_bias, state, from_state)
        reset, keep = torch.sigmoid(gates[..., : 2 * D] + recurrent[..., : 2 * D]).chunk(2, dim=-1)
        new = torch.tanh(torch.addcmul(gates[..., 2 * D :], reset, recurrent[..., 2 * D :]))
        state = new + keep * (state - new)
        outputs.append(state)
    return torch.cat(outputs, dim=1)


def _both_ways(gru: nn.GRU, name: str) -> list[Tensor]:
    return [getattr(gru, f"{name}_l0"), getattr(gru, f"{name}_l0_reverse")]
