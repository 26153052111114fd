"""`Attribution`: what a method gives for one molecule."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zoo.data.arrays import Float64


@dataclass(frozen=True)
class Attribution:
    """Contributions of atoms and bonds to a prediction.

    Args:
        atoms: (N,).
        bonds: (M,); zeros where a method attributes nothing to bonds.
        baseline: What the contributions start from.
        fragments: Atoms of each fragment, for methods that attribute to fragments; `atoms` has equal shares of theirs.
        fragment_values: Contribution of each fragment (F,).
        complete: Whether the contributions sum to the difference between the prediction and the baseline.
    """

    atoms: Float64
    bonds: Float64
    baseline: float
    fragments: tuple[tuple[int, ...], ...] = ()
    fragment_values: Float64 = field(default_factory=lambda: np.empty(0))
    complete: bool = True

    @property
    def total(self) -> float:
        """Sum of all contributions."""
        return float(self.atoms.sum() + self.bonds.sum())


def weighted_sum(parts: list[Attribution], weights: tuple[float, ...]) -> Attribution:
    """Weighted sum of attributions to the atoms and bonds of one molecule."""
    pairs = list(zip(weights, parts, strict=True))
    return Attribution(
        np.sum([weight * part.atoms for weight, part in pairs], axis=0),
        np.sum([weight * part.bonds for weight, part in pairs], axis=0),
        float(sum(weight * part.baseline for weight, part in pairs)),
        complete=all(part.complete for part in parts),
    )
