"""Loss surfaces whose sharpness is known: quadratics, and a small network whose Hessian torch writes out."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data import Batch
from zoo.sharpness import LossSurface


class Inputs:
    """Rows of numbers (B, F) where a model expects molecules."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values

    def to(self, device: torch.device, non_blocking: bool = False) -> Inputs:
        return self


class OnRows(nn.Module):
    """A plain network on `Inputs`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return self.network(inputs.values)


class Quadratic(nn.Module):
    """Loss (w - c)' A (w - c) / 2 whatever the input, with the weights in two tensors."""

    def __init__(self, matrix: torch.Tensor, start: torch.Tensor) -> None:
        super().__init__()
        self.matrix = matrix
        self.first, self.rest = nn.Parameter(start[:2].clone()), nn.Parameter(start[2:].clone().view(-1, 1))

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return inputs.values

    def loss(self, scores: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        w = torch.cat([self.first, self.rest.flatten()])
        return w @ self.matrix @ w / 2


def batches_of(x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor | None = None, size: int = 4) -> list[Batch]:
    mask = torch.ones_like(y) if mask is None else mask
    parts = [slice(i, i + size) for i in range(0, len(x), size)]
    return [Batch(Inputs(x[p]), y[p], mask[p], torch.arange(len(x))[p]) for p in parts]


def quadratic(start: torch.Tensor, seed: int = 0) -> tuple[LossSurface, torch.Tensor]:
    torch.manual_seed(seed)
    n = len(start)
    root = torch.randn(n, n, dtype=torch.float64)
    matrix = root @ root.T
    rows = torch.ones(4, 1, dtype=torch.float64)
    return LossSurface(Quadratic(matrix, start), batches_of(rows, rows), "regression"), matrix


def mlp_surface(*, labels_missing: bool = True, **options) -> LossSurface:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, y = torch.randn(10, 3, dtype=torch.float64), torch.randint(0, 2, (10, 2)).double()
    mask = torch.randint(0, 2, (10, 2)).double() if labels_missing else torch.ones_like(y)
    return LossSurface(OnRows(network), batches_of(x, y, mask), "classification", **options)


def full_hessian(surface: LossSurface) -> torch.Tensor:
    """The matrix itself, by torch, from one batch of everything."""
    batches = surface._batches
    x = torch.cat([b.graph.values for b in batches])
    y, mask = torch.cat([b.targets for b in batches]), torch.cat([b.mask for b in batches])
    names = [name for name, _ in surface.model.named_parameters()]
    sizes = [w.numel() for w in surface.weights]

    def loss(values: torch.Tensor) -> torch.Tensor:
        parts = [part.view(w.shape) for part, w in zip(values.split(sizes), surface.weights, strict=True)]
        scores = torch.func.functional_call(surface.model, dict(zip(names, parts, strict=True)), (Inputs(x),))
        elementwise = nn.functional.binary_cross_entropy_with_logits(scores, y, reduction="none")
        return (elementwise * mask).sum() / mask.sum()

    return torch.autograd.functional.hessian(loss, nn.utils.parameters_to_vector(surface.weights).detach())
