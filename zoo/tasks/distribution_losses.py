"""Losses of predicted distributions, label by label, as functions of the distributions' parameters.

They agree with chemprop 2.3.1. `zoo.tasks.distributions` makes the parameters from scores.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

REGULARIZATION = 0.2
PUBLISHED_MARGIN = 1e-8  # subtracted by the published code of evidential regression; a constant without gradient


def gaussian_nll(mean: Tensor, variance: Tensor, targets: Tensor) -> Tensor:
    """Negative logarithm of a Gaussian density.

    Args:
        mean: (B, T).
        variance: (B, T), above 0.
        targets: (B, T).

    Example:
        >>> gaussian_nll(torch.zeros(1), torch.full((1,), 1 / (2 * math.pi)), torch.zeros(1))
        tensor([0.])

    Reference:
        Nix & Weigend 1994.
    """
    return 0.5 * (torch.log(2 * math.pi * variance) + (targets - mean).square() / variance)


def pinball(predictions: Tensor, targets: Tensor, quantile: float) -> Tensor:
    """Pinball loss, which the quantile of the targets minimises.

    Args:
        predictions: (B, T).
        targets: (B, T).
        quantile: Between 0 and 1.

    Example:
        >>> pinball(torch.tensor([0.0, 0.0]), torch.tensor([1.0, -1.0]), 0.9)
        tensor([0.9000, 0.1000])

    Reference:
        Koenker & Bassett 1978.
    """
    above = targets - predictions
    return torch.maximum(quantile * above, (quantile - 1) * above)


def interval_pinball(lower: Tensor, upper: Tensor, targets: Tensor, alpha: float) -> Tensor:
    """Sum of the pinball losses of both ends of an interval that targets (B, T) miss with probability `alpha`."""
    return pinball(lower, targets, alpha / 2) + pinball(upper, targets, 1 - alpha / 2)


def evidential_loss(
    mean: Tensor, v: Tensor, alpha: Tensor, beta: Tensor, targets: Tensor, regularization: float = REGULARIZATION
) -> Tensor:
    """Negative log evidence of a Normal-Inverse-Gamma distribution, and its penalty on evidence for wrong values.

    Args:
        mean: Predicted value (B, T).
        v: Virtual observations of the mean (B, T), above 0.
        alpha: Half the virtual observations of the variance (B, T), above 1.
        beta: Scale of the variance (B, T), above 0.
        targets: (B, T).
        regularization: Weight of the penalty, the error times the evidence.

    Reference:
        Amini et al. 2020 (arXiv:1910.02600), equations 8 to 10.
    """
    error = (targets - mean).abs()
    omega = 2 * beta * (1 + v)
    likelihood = (
        0.5 * torch.log(math.pi / v)
        - alpha * torch.log(omega)
        + (alpha + 0.5) * torch.log(v * error.square() + omega)
        + torch.lgamma(alpha)
        - torch.lgamma(alpha + 0.5)
    )
    return likelihood + regularization * (error * (2 * v + alpha) - PUBLISHED_MARGIN)


def dirichlet_loss(concentration: Tensor, classes: Tensor, regularization: float = REGULARIZATION) -> Tensor:
    """Expected squared error of class probabilities under a Dirichlet distribution, and its penalty on evidence.

    Args:
        concentration: (B, T, C), above 0.
        classes: Class of each label (B, T).
        regularization: Weight of the penalty: the divergence from the flat distribution once the evidence for the true
            class is taken away.

    Returns:
        (B, T).

    Reference:
        Sensoy et al. 2018 (arXiv:1806.01768), equation 5 and section 3.3.
    """
    strength = concentration.sum(-1, keepdim=True)
    expected = concentration / strength
    truth = F.one_hot(classes.long(), concentration.shape[-1]).to(concentration.dtype)
    squared = ((truth - expected).square() + expected * (1 - expected) / (strength + 1)).sum(-1)
    return squared + regularization * divergence_from_flat(truth + (1 - truth) * concentration)


def divergence_from_flat(concentration: Tensor) -> Tensor:
    """Kullback-Leibler divergence (...,) of Dirichlet distributions (..., C) from the one whose parameters are 1."""
    strength, count = concentration.sum(-1), concentration.shape[-1]
    slopes = torch.digamma(concentration) - torch.digamma(strength).unsqueeze(-1)
    normalizer = torch.lgamma(strength) - torch.lgamma(concentration).sum(-1) - math.lgamma(count)
    return normalizer + ((concentration - 1) * slopes).sum(-1)
