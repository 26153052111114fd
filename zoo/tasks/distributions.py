"""Kinds of target whose model predicts a distribution: a value, and how sure the model is of it.

Regression targets are standardized, and so are the distributions: `to_spread` and `to_interval` are scaled back where
predictions are.
"""

from __future__ import annotations

from statistics import NormalDist

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.registry.catalog.targets import NUMBERS, ZERO_ONE
from zoo.tasks.distribution_losses import REGULARIZATION, dirichlet_loss, evidential_loss, gaussian_nll, pinball
from zoo.tasks.task import Multiclass, Task

FLOOR = 1e-6  # of variances and evidence, in standardized units: keeps logarithms and quotients finite


def positive(scores: Tensor) -> Tensor:
    """Map scores to numbers above 0."""
    return F.softplus(scores) + FLOOR


class Distribution(Task):
    """Base class of numbers that are predicted with a distribution; the scores of a target lie side by side."""

    labels, default_metric, scaled = NUMBERS, "rmse", True

    def _parts(self, scores: Tensor) -> tuple[Tensor, ...]:
        """Cut scores (B, T * num_scores) into `num_scores` tensors (B, T)."""
        return scores.unflatten(-1, (-1, self.num_scores)).unbind(-1)


class MeanVariance(Distribution):
    """A number with a Gaussian distribution: its mean and its variance, trained by the Gaussian likelihood.

    Example:
        >>> task, scores = MeanVariance(), torch.zeros(1, 4)
        >>> task.to_predictions(scores).shape, bool((task.to_spread(scores).square() - 0.6931 < 1e-4).all())
        (torch.Size([1, 2]), True)

    Reference:
        Nix & Weigend 1994.
    """

    num_scores = 2

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Negative log likelihood of every label (B, T)."""
        mean, width = self._parts(scores)
        return gaussian_nll(mean, positive(width), targets)

    def bounded_loss(self, scores: Tensor, targets: Tensor, bounds: Tensor) -> Tensor:
        """As `elementwise_loss`; of a bound, the negative logarithm of the probability to keep it (Tobin 1958)."""
        mean, width = self._parts(scores)
        kept = -torch.special.log_ndtr(bounds * (mean - targets) / positive(width).sqrt())
        return torch.where(bounds == 0, self.elementwise_loss(scores, targets), kept)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Mean (B, T)."""
        return self._parts(scores)[0]

    def to_spread(self, scores: Tensor) -> Tensor:
        """Root of the variance (B, T)."""
        return positive(self._parts(scores)[1]).sqrt()


class Quantile(Distribution):
    """A number by three quantiles: the median, and the ends of an interval around it, trained by the pinball loss.

    The ends are the median minus and plus positive numbers, so that they never cross.

    Args:
        coverage: Share of the labels that the interval is trained to hold, between 0 and 1.

    Raises:
        ValueError: `coverage` out of its range.

    Example:
        >>> lower, upper = Quantile(coverage=0.8).to_interval(torch.zeros(1, 3))[0, 0]
        >>> bool(lower < 0 < upper)
        True

    Reference:
        Koenker & Bassett 1978.
    """

    default_metric, num_scores = "mae", 3

    def __init__(self, coverage: float = 0.9) -> None:
        if not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage}: give a share between 0 and 1, such as 0.9")
        self.coverage = coverage

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Sum of the pinball losses of the three quantiles (B, T)."""
        tail = (1 - self.coverage) / 2
        lower, median, upper = self._quantiles(scores)
        return pinball(lower, targets, tail) + pinball(median, targets, 0.5) + pinball(upper, targets, 1 - tail)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Median (B, T)."""
        return self._parts(scores)[1]

    def to_interval(self, scores: Tensor) -> Tensor:
        """Both ends (B, T, 2)."""
        lower, _, upper = self._quantiles(scores)
        return torch.stack([lower, upper], dim=-1)

    def to_spread(self, scores: Tensor) -> Tensor:
        """Standard deviation (B, T) of the Gaussian whose interval is as wide."""
        below, _, above = self._parts(scores)
        return (positive(below) + positive(above)) / (2 * NormalDist().inv_cdf((1 + self.coverage) / 2))

    def _quantiles(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        below, median, above = self._parts(scores)
        return median - positive(below), median, median + positive(above)


class Evidential(Distribution):
    """A number with a distribution over Gaussians (Normal-Inverse-Gamma), whose evidence the model predicts.

    The variance beta / (alpha - 1) stands for the noise of the labels, beta / (v (alpha - 1)) for what the model does
    not know. Take the latter with care: the loss has no unique minimum in v, so that its size depends on the training
    (Meinert et al. 2023, arXiv:2205.10060); rank with it, and calibrate before it is read as a deviation.

    Args:
        regularization: Weight of the penalty on evidence for wrong values, at least 0.

    Raises:
        ValueError: A negative weight.

    Reference:
        Amini et al. 2020 (arXiv:1910.02600).
    """

    num_scores = 4

    def __init__(self, regularization: float = REGULARIZATION) -> None:
        self.regularization = require_weight(regularization)

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Negative log evidence and its penalty for every label (B, T)."""
        return evidential_loss(*self.parameters(scores), targets, self.regularization)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Mean (B, T)."""
        return self._parts(scores)[0]

    def to_spread(self, scores: Tensor) -> Tensor:
        """Root of the total variance (B, T): that of the labels, and that of the mean."""
        _, v, alpha, beta = self.parameters(scores)
        return (beta / (alpha - 1) * (1 + 1 / v)).sqrt()

    def parameters(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean, v, alpha and beta of the distribution, each (B, T)."""
        mean, v, alpha, beta = self._parts(scores)
        return mean, positive(v), 1 + positive(alpha), positive(beta)


class Dirichlet(Multiclass):
    """Classes with a distribution over their probabilities, whose evidence the model predicts.

    As for `Evidential`, no loss of this form makes what the model does not know vanish at the right speed (Bengs et al.
    2022, arXiv:2203.06102): rank with the spread, and calibrate the probabilities.

    Args:
        num_classes: C, at least 2.
        regularization: Weight of the penalty on evidence for wrong classes, at least 0.

    Raises:
        ValueError: Fewer than two classes, or a negative weight.

    Reference:
        Sensoy et al. 2018 (arXiv:1806.01768).
    """

    def __init__(self, num_classes: int = 0, regularization: float = REGULARIZATION) -> None:
        super().__init__(num_classes)
        self.regularization = require_weight(regularization)

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Expected squared error and its penalty for every label (B, T)."""
        return dirichlet_loss(self.concentration(scores), targets, self.regularization)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Expected probability of each class (B, T, C)."""
        concentration = self.concentration(scores)
        return concentration / concentration.sum(-1, keepdim=True)

    def to_spread(self, scores: Tensor) -> Tensor:
        """Standard deviation of each class's probability (B, T, C)."""
        expected = self.to_predictions(scores)
        strength = self.concentration(scores).sum(-1, keepdim=True)
        return (expected * (1 - expected) / (strength + 1)).sqrt()

    def concentration(self, scores: Tensor) -> Tensor:
        """Parameters of the distribution (B, T, C), above 1."""
        return 1 + positive(self._of_classes(scores))


class BinaryDirichlet(Task):
    """Two classes with a distribution over the probability of class 1; otherwise as `Dirichlet`.

    Args:
        regularization: Weight of the penalty on evidence for the wrong class, at least 0.

    Raises:
        ValueError: A negative weight.
    """

    labels, default_metric, num_scores = ZERO_ONE, "roc_auc", 2

    def __init__(self, regularization: float = REGULARIZATION) -> None:
        self._both = Dirichlet(2, regularization)

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Expected squared error and its penalty for every label (B, T)."""
        return self._both.elementwise_loss(scores, targets)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Expected probability of class 1 (B, T)."""
        return self._both.to_predictions(scores)[..., 1]

    def to_spread(self, scores: Tensor) -> Tensor:
        """Standard deviation of the probability of class 1 (B, T)."""
        return self._both.to_spread(scores)[..., 1]


def require_weight(regularization: float) -> float:
    """Return the weight of a penalty.

    Raises:
        ValueError: It is negative.
    """
    if regularization < 0:
        raise ValueError(f"regularization={regularization}: give a number of at least 0")
    return regularization
