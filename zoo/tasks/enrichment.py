"""Metrics of virtual screening: how many actives are among the first of a ranking. RDKit computes them."""

from __future__ import annotations

import math

import numpy as np

from zoo.tasks.class_scores import Ranking
from zoo.tasks.scores import CONSTANT, divide, is_constant, sum_before


class EarlyRanking(Ranking):
    """A metric of the first molecules of a ranking; among equal predictions class 0 comes first, by caution."""

    def unranked(self, predictions: np.ndarray) -> str:
        """Say that there is no ranking."""
        return CONSTANT if is_constant(predictions) else ""

    def resampled_two(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        order = best_first(targets, predictions)
        ordered, actives = counts[:, order], counts @ targets
        size = counts.sum(axis=1)
        values = self.of_places(sum_before(ordered), ordered, targets[order] == 1, actives, size)
        return np.where((actives == 0) | (actives == size), np.nan, values)

    def of_places(
        self, before: np.ndarray, times: np.ndarray, active: np.ndarray, actives: np.ndarray, size: np.ndarray
    ) -> np.ndarray:
        """Compute the metric of rankings in which each molecule takes `times` places in a row.

        Args:
            before: Places before each molecule, best first (R, n).
            times: Its places (R, n).
            active: Whether it is active (n,).
            actives: Places of actives (R,).
            size: All places (R,).
        """
        raise NotImplementedError


class Bedroc(EarlyRanking):
    """Boltzmann-enhanced discrimination of the ROC curve, from 0 to 1.

    Args:
        alpha: Weight of the first molecules, above 0; with 20 the first 8 % make up 80 % of it.

    Reference:
        Truchon and Bayly 2007, J. Chem. Inf. Model. 47, 488.
    """

    def __init__(self, alpha: float = 20.0) -> None:
        if not 0 < alpha <= 500:
            raise ValueError(f"alpha={alpha}: give a number above 0, at most 500")
        self.alpha = alpha

    def of_two(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        from rdkit.ML.Scoring.Scoring import CalcBEDROC

        return float(CalcBEDROC(ranked(targets, predictions), 0, self.alpha))

    def of_places(
        self, before: np.ndarray, times: np.ndarray, active: np.ndarray, actives: np.ndarray, size: np.ndarray
    ) -> np.ndarray:
        """Compute the metric of rankings; the exponentials of consecutive places are a geometric series."""
        fall = -self.alpha / size[:, None]
        first, last = before[:, active], before[:, active] + times[:, active]
        total = (np.exp(fall * first) - np.exp(fall * last)).sum(axis=1)
        ratio = divide(actives, size)
        robust = divide(total, (1 - math.exp(-self.alpha)) * ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            most = (1 - np.exp(-self.alpha * ratio)) / (ratio * (1 - math.exp(-self.alpha)))
            least = (1 - np.exp(self.alpha * ratio)) / (ratio * (1 - math.exp(self.alpha)))
        return divide(robust - least, most - least)


class Enrichment(EarlyRanking):
    """Enrichment factor: how much more frequent actives are among the first molecules than among all.

    Args:
        fraction: Share of the molecules that counts as the first, above 0 and below 1.
    """

    def __init__(self, fraction: float = 0.01) -> None:
        if not 0 < fraction < 1:
            raise ValueError(f"fraction={fraction}: give a share above 0 and below 1, such as 0.01 for 1 %")
        self.fraction = fraction

    def of_two(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; 1 where the first are all molecules."""
        from rdkit.ML.Scoring.Scoring import CalcEnrichment

        found = CalcEnrichment(ranked(targets, predictions), 0, [self.fraction])
        return float(found[0]) if found else 1.0

    def of_places(
        self, before: np.ndarray, times: np.ndarray, active: np.ndarray, actives: np.ndarray, size: np.ndarray
    ) -> np.ndarray:
        """Compute the metric of rankings."""
        first = np.ceil(size * self.fraction)
        found = np.clip(first[:, None] - before[:, active], 0, times[:, active]).sum(axis=1)
        return divide(found * size, first * actives)


def best_first(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Order of the rows (n,), best first, class 0 first among equals."""
    return np.lexsort((targets, -predictions))


def ranked(targets: np.ndarray, predictions: np.ndarray) -> list[list[int]]:
    """Labels in the order of their predictions, in the form that RDKit takes."""
    return [[label] for label in targets[best_first(targets, predictions)].astype(int).tolist()]
