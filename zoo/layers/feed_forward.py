"""Feed-forward networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.activations import Activation

HEAD_SHAPES = ("constant", "halving")
NARROWEST = 8


def head_sizes(input_size: int, hidden_size: int, num_layers: int, output_size: int, shape: str) -> list[int]:
    """Widths of a prediction network: its input, `num_layers - 1` hidden layers, its output.

    Args:
        input_size: Width of the input.
        hidden_size: Width D of the model.
        num_layers: Linear layers, at least 1.
        output_size: Width of the output.
        shape: "constant" gives all hidden layers width D, "halving" D / 2, D / 4, ... but at least `NARROWEST`, as
            a few units with ReLU may be off for all molecules.

    Example:
        >>> head_sizes(64, 64, 3, 1, "halving")
        [64, 32, 16, 1]
    """
    halve = shape == "halving"
    hidden = [max(NARROWEST, hidden_size >> number) if halve else hidden_size for number in range(1, num_layers)]
    return [input_size, *hidden, output_size]


class FeedForward(nn.Module):
    """Linear layers with an activation and dropout between them.

    Args:
        sizes: Width of the input, of each hidden layer, and of the output; at least two numbers.
        activation: Name of the activation; its learned slope, if any, is shared by all layers.
        dropout: Probability of dropping a hidden value, in [0, 1).
        input_dropout: Drop input values too.

    Example:
        >>> import torch
        >>> FeedForward([8, 16, 2], "relu")(torch.zeros(5, 8)).shape
        torch.Size([5, 2])
    """

    def __init__(
        self, sizes: Sequence[int], activation: str, dropout: float = 0.0, input_dropout: bool = False
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = Activation(activation) if len(self.layers) > 1 else None
        self.dropout = nn.Dropout(dropout)
        self.input_dropout = input_dropout

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, sizes[0]) to (n, sizes[-1])."""
        return self._after_first(self.layers[0](self.dropout(x) if self.input_dropout else x))

    def of_parts(self, first: Tensor, second: Tensor, rows: Tensor | None = None) -> Tensor:
        """`forward` of two tensors side by side; arguments as for `map_parts`."""
        return self._after_first(map_parts(cast(nn.Linear, self.layers[0]), first, second, rows))

    def _after_first(self, x: Tensor) -> Tensor:
        """Return what the first linear layer gave (n, sizes[1]) to (n, sizes[-1])."""
        for layer in self.layers[1:]:
            x = layer(self.dropout(x if self.activation is None else self.activation(x)))
        return x


def map_parts(layer: nn.Linear, first: Tensor, second: Tensor, rows: Tensor | None = None) -> Tensor:
    """Apply a linear layer to two tensors side by side, without joining them.

    A part that needs no gradient has none computed.

    Args:
        layer: Linear map of A + B columns.
        first: The first part, (n, A) or, with `rows`, (m, A).
        second: (n, B).
        rows: Where the first part of each row stands (n,).
    """
    if type(layer) is not nn.Linear or layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks:
        first = first if rows is None else first.index_select(0, rows)
        return layer(torch.cat([first, second.to(first.dtype)], dim=1))  # whatever stands in its place
    size = first.shape[1]
    of_first = F.linear(first, layer.weight[:, :size], layer.bias)
    if rows is not None:
        of_first = of_first.index_select(0, rows)
    return torch.addmm(of_first, second.to(of_first.dtype), layer.weight[:, size:].T)
