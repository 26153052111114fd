"""Integrated gradients, with steps where the prediction changes.

captum's `IntegratedGradients` takes a fixed rule over the path. Models with normalisation change most near its start,
where such rules miss a part of the difference; here every interval is compared with the exact change of the
prediction over it, and those that differ most are halved until they differ little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from zoo.trust.attribution.attribution import Attribution, weighted_sum
from zoo.trust.attribution.games import Game, MeanGame, NetworkGame

FIRST_STEPS, NEAREST = 24, 1e-6
MOST_STEPS = 2048
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Intervals:
    """Intervals of the path from no features to all of them, each with the gradients at its middle.

    Args:
        starts: (K,), in [0, 1].
        stops: (K,).
        first: Prediction at each start (K,).
        last: Prediction at each stop (K,).
        middle: Prediction in each middle (K,).
        atoms: Contributions of the atoms (K, N): gradient times features times width.
        bonds: Contributions of the bonds (K, M).
    """

    starts: np.ndarray
    stops: np.ndarray
    first: np.ndarray
    last: np.ndarray
    middle: np.ndarray
    atoms: np.ndarray
    bonds: np.ndarray

    @classmethod
    def of(
        cls, game: NetworkGame, starts: np.ndarray, stops: np.ndarray, first: np.ndarray, last: np.ndarray
    ) -> Intervals:
        """Compute the gradients."""
        middle, atoms, bonds = gradients_along(game, (starts + stops) / 2)
        width = (stops - starts)[:, None]
        return cls(starts, stops, first, last, middle, atoms * width, bonds * width)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def gaps(self) -> np.ndarray:
        """Sum of the contributions of each less the exact change of the prediction (K,)."""
        return self.atoms.sum(axis=1) + self.bonds.sum(axis=1) - (self.last - self.first)

    def take(self, rows: np.ndarray) -> Intervals:
        """Take some of the intervals."""
        return Intervals(*(values[rows] for values in vars(self).values()))

    def join(self, others: Intervals) -> Intervals:
        """Join with others."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Intervals(*(np.concatenate(pair) for pair in pairs))

    def halve(self, game: NetworkGame) -> Intervals:
        """Return the two halves of each."""
        middle = (self.starts + self.stops) / 2
        ends = [(self.starts, middle), (middle, self.stops), (self.first, self.middle), (self.middle, self.last)]
        return Intervals.of(game, *(np.concatenate(pair) for pair in ends))


def integrated_gradients(game: Game, *, tolerance: float = TOLERANCE, most_steps: int = MOST_STEPS) -> Attribution:
    """Attribute to the features of atoms and bonds, from features of zero to the molecule's own.

    Args:
        game: Of a neural network, or of an ensemble of them.
        tolerance: Largest difference between the sum of the contributions and the change of the prediction: in logits,
            or in standard deviations of the training targets; relative to a tenth of that change where it is larger.
        most_steps: Gradients at most; a model that jumps keeps a larger difference then.

    Raises:
        ValueError: The model has no gradients.

    Reference:
        Sundararajan et al. 2017, arXiv 1703.01365, equation 1.
    """
    if isinstance(game, MeanGame):
        parts = [integrated_gradients(each, tolerance=tolerance, most_steps=most_steps) for each in game.games]
        return weighted_sum(parts, game.weights)
    if not isinstance(game, NetworkGame):
        raise ValueError("this model has no gradients: choose method='masking', 'shapley' or 'myerson'")
    if tolerance <= 0 or most_steps < FIRST_STEPS:
        raise ValueError(f"tolerance={tolerance}, most_steps={most_steps}: above 0, and at least {FIRST_STEPS}")
    ends = np.concatenate([[0], np.geomspace(NEAREST, 1, FIRST_STEPS)])
    values = values_along(game, ends)
    found, taken = Intervals.of(game, ends[:-1], ends[1:], values[:-1], values[1:]), FIRST_STEPS
    allowed = tolerance * max(game.scale, abs(values[-1] - values[0]) / 10)
    while (worst := intervals_to_halve(found.gaps, allowed)).any() and taken < most_steps:
        found, taken = found.take(~worst).join(found.take(worst).halve(game)), taken + 2 * int(worst.sum())
    complete = abs(found.gaps.sum()) <= 2 * allowed
    return Attribution(found.atoms.sum(axis=0), found.bonds.sum(axis=0), float(values[0]), complete=bool(complete))


def intervals_to_halve(gaps: np.ndarray, allowed: float) -> np.ndarray:
    """Return which intervals (K,) to halve: those whose gaps are nearly the largest; none where all are small."""
    sizes = np.abs(gaps)
    if abs(gaps.sum()) <= allowed / 2 and sizes.max() <= 2 * allowed:
        return np.zeros(len(gaps), dtype=bool)
    return sizes >= sizes.max() / 16


def gradients_along(game: NetworkGame, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prediction (K,), and gradient times features of each atom (K, N) and bond (K, M), at places (K,) of the path."""
    values, atoms, bonds = [], [], []
    for part in split(places, game.at_once):
        graph = game.copies(len(part))
        full = graph.atom_feats, graph.bond_feats
        factors = torch.from_numpy(part).to(graph.device, full[0].dtype)
        inputs = [
            (feats * factors.repeat_interleave(repeats)[:, None]).requires_grad_()
            for feats, repeats in zip(full, (game.num_atoms, 2 * game.num_bonds), strict=True)
        ]
        with torch.enable_grad():
            score = game.score(graph, *inputs)
            found = torch.autograd.grad(score.sum(), inputs, allow_unused=True)
        products = [
            torch.zeros(len(feats)) if grad is None else (grad * feats).sum(dim=1).detach().cpu()
            for grad, feats in zip(found, full, strict=True)
        ]
        values.append(score.detach().cpu().numpy())
        atoms.append(products[0].double().numpy().reshape(len(part), -1))
        bonds.append(products[1].double().numpy().reshape(len(part), -1, 2).sum(axis=2))
    return np.concatenate(values), np.concatenate(atoms), np.concatenate(bonds)


def values_along(game: NetworkGame, places: np.ndarray) -> np.ndarray:
    """Prediction at places (K,) of the path."""
    found = []
    for part in split(places, game.at_once):
        graph = game.copies(len(part))
        factors = torch.from_numpy(part).to(graph.device, graph.atom_feats.dtype)
        with torch.no_grad():
            atom_feats = graph.atom_feats * factors.repeat_interleave(game.num_atoms)[:, None]
            bond_feats = graph.bond_feats * factors.repeat_interleave(2 * game.num_bonds)[:, None]
            found.append(game.score(graph, atom_feats, bond_feats).cpu().numpy())
    return np.concatenate(found)


def split(places: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut places into parts of at most this size."""
    return [places[start : start + size] for start in range(0, len(places), size)]
