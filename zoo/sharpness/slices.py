"""Slices of the loss landscape: along random directions, and from one model to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from optim import Vector
from zoo.data import MoleculeDataset
from zoo.sharpness.surface import LossSurface

if TYPE_CHECKING:
    from zoo.sharpness.protocol import TrainedModel


@dataclass(frozen=True)
class Landscape:
    """Losses on a line or a grid of weights.

    Args:
        name: What the picture calls it.
        axis: What the first coordinate means.
        losses: On a line (n,), or on a grid (n, m).
        alphas: First coordinate (n,).
        betas: Second coordinate (m,), or `None` on a line.
        molecules: How many the losses are means over.
    """

    name: str
    axis: str
    losses: np.ndarray
    alphas: np.ndarray
    betas: np.ndarray | None
    molecules: int

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files."""
        return {
            "name": self.name,
            "axis": self.axis,
            "alphas": self.alphas.tolist(),
            "betas": None if self.betas is None else self.betas.tolist(),
            "losses": self.losses.tolist(),
            "molecules": self.molecules,
        }


def landscape(
    learner: TrainedModel,
    dataset: MoleculeDataset,
    *,
    dimensions: int = 2,
    span: float = 1.0,
    points: int = 11,
    max_molecules: int | None = 128,
    batch_size: int = 64,
    seed: int = 0,
    name: str | None = None,
    progress: bool = False,
) -> Landscape:
    r"""Loss around a model along random directions, :math:`L(w + \alpha d_1 + \beta d_2)`.

    A direction has the size of the weights, filter by filter (see `filter_normalized`), so that pictures of different
    models can be laid side by side. Directions depend on the seed and the shapes of the weights only.

    Args:
        learner: With a differentiable model.
        dataset: With labels.
        dimensions: 1 for a line, 2 for a grid.
        span: The coordinates go from -span to span, in units of the weights' norm, > 0.
        points: Of each coordinate, odd and at least 3; a grid costs `points` squared forward passes over the molecules.
        max_molecules: Measure on at most so many molecules, drawn with `seed`; `None` takes all.
        batch_size: Molecules at a time.
        seed: Of the directions and the molecules.
        name: For the picture; `None` takes the learner's optimizer.
        progress: Show a bar, where the output is a terminal or a notebook.

    Raises:
        ValueError: An option out of its range.

    Reference:
        Li et al. 2018, arXiv 1712.09913, section 4.
    """
    if dimensions not in (1, 2):
        raise ValueError(f"dimensions={dimensions}: choose 1 or 2")
    if not span > 0:
        raise ValueError(f"span={span}: give a number above 0")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points={points}: give an odd number of at least 3, so that the model itself is one of them")
    surface = LossSurface.of(learner, dataset, max_molecules=max_molecules, batch_size=batch_size, seed=seed)
    first, second = filter_normalized(surface.weights, seed, 2)
    grid = np.linspace(-span, span, points)
    others = grid if dimensions == 2 else np.zeros(1)
    losses = np.empty((len(grid), len(others)))
    for i, j in tqdm(
        [*np.ndindex(losses.shape)], desc="landscape", unit="point", disable=None if progress else True, leave=False
    ):
        losses[i, j] = surface.loss_at(first.scaled(grid[i]).plus(second, others[j]))
    return Landscape(
        name=name or learner.recipe.optimizer,
        axis="random direction",
        losses=losses if dimensions == 2 else losses[:, 0],
        alphas=grid,
        betas=grid if dimensions == 2 else None,
        molecules=surface.molecules,
    )


def segment(
    learner: TrainedModel,
    other: TrainedModel,
    dataset: MoleculeDataset,
    *,
    points: int = 31,
    margin: float = 0.25,
    max_molecules: int | None = 128,
    batch_size: int = 64,
    seed: int = 0,
    name: str | None = None,
) -> Landscape:
    r"""Loss on the line through two models, :math:`L((1 - \alpha)\, w + \alpha\, w')`.

    Running statistics are interpolated like weights, so that the ends are the two models exactly.

    Args:
        learner: At α = 0.
        other: At α = 1; of the same architecture. Its own scaling of targets is not used.
        dataset: With labels.
        points: On the line, at least 2.
        margin: How far the line goes on beyond both models, >= 0.
        max_molecules: Measure on at most so many molecules, drawn with `seed`; `None` takes all.
        batch_size: Molecules at a time.
        seed: Of the molecules.
        name: For the picture; `None` takes both optimizers.

    Raises:
        ValueError: The models differ in shape, or an option is out of its range.

    Reference:
        Goodfellow et al. 2015, arXiv 1412.6544.
    """
    if points < 2 or not margin >= 0:
        raise ValueError(f"points={points}, margin={margin}: give at least 2 points and a margin of at least 0")
    surface = LossSurface.of(learner, dataset, max_molecules=max_molecules, batch_size=batch_size, seed=seed)
    begin, end = learner.model.state_dict(), other.model.state_dict()
    if {k: t.shape for k, t in begin.items()} != {k: t.shape for k, t in end.items()}:
        raise ValueError(
            f"{learner.recipe.model} and {other.recipe.model} have weights of different shapes: "
            "a line needs two models of one architecture with the same options"
        )
    pairs = [(t, t.clone(), end[key].to(t)) for key, t in begin.items() if t.is_floating_point()]
    alphas = np.linspace(-margin, 1 + margin, points)
    losses = []
    with surface.kept_weights():
        for alpha in alphas:
            with torch.no_grad():
                for tensor, start, stop in pairs:
                    tensor.copy_(torch.lerp(start, stop, float(alpha)))
            losses.append(surface.loss())
    return Landscape(
        name=name or f"{learner.recipe.optimizer} (0) to {other.recipe.optimizer} (1)",
        axis="position between the models",
        losses=np.array(losses),
        alphas=alphas,
        betas=None,
        molecules=surface.molecules,
    )


def filter_normalized(weights: list[Tensor], seed: int, count: int) -> list[Vector]:
    """Random directions as large as the weights, filter by filter.

    A filter is what one index of a weight's first axis selects: the inputs of one unit in a linear layer, one head in a
    weight of all heads. Vectors and numbers (biases, scales of normalisation, PReLU slopes) stay where they are.

    Args:
        weights: The parameters.
        seed: Of the draws.
        count: How many directions.
    """
    generator = torch.Generator().manual_seed(seed)
    return [Vector([filter_draw(w.detach(), generator) for w in weights]) for _ in range(count)]


def filter_draw(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Normal draws in the shape of a weight, each filter as long as the weight's."""
    draw = torch.randn(weight.shape, generator=generator).to(weight)
    if weight.dim() < 2:
        return torch.zeros_like(weight)
    rows, drawn = weight.flatten(1), draw.flatten(1)
    norms = drawn.norm(dim=1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
    return (drawn * rows.norm(dim=1, keepdim=True) / norms).view_as(weight)
