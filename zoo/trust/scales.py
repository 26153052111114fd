"""Scaling of standard deviations, so that they are as large as the errors."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from zoo.data.arrays import Floats

Z_SCALING, ZELIKMAN, NONE = "z_scaling", "zelikman", "none"
METHODS = (Z_SCALING, ZELIKMAN, NONE)
PERCENTILE = 0.9


def z_factor(errors: Floats, spread: Floats) -> float:
    """Factor of the deviations under which the errors are likeliest, if they are Gaussian: the root mean square of z.

    chemprop 2.3.1 searches for the same minimum and finds it within about 1e-5.

    Args:
        errors: (n,).
        spread: (n,), above 0.

    Example:
        >>> z_factor(np.array([2.0, -2.0]), np.array([1.0, 1.0]))
        2.0

    Reference:
        Levi et al. 2022 (arXiv:1905.11659).
    """
    return float(np.sqrt(np.mean((errors / spread) ** 2)))


def zelikman_factor(errors: Floats, spread: Floats, percentile: float = PERCENTILE) -> float:
    """Number of deviations within which the share `percentile` of the errors lies, as the largest |z| among them.

    chemprop 2.3.1 multiplies the variance by its square and calls that the variance, which makes the deviation an
    interval's half. `fit_scale` divides by the Gaussian's own quantile, so that it remains a deviation.

    Reference:
        Zelikman et al. 2020 (arXiv:2005.12496), CRUDE.
    """
    return float(np.quantile(np.abs(errors) / spread, percentile, method="lower"))


def fit_scale(method: str, errors: Floats, spread: Floats) -> float:
    """Factor that makes deviations (n,) as large as errors (n,), of one task."""
    if method == NONE:
        return 1.0
    if method == Z_SCALING:
        return z_factor(errors, spread)
    return zelikman_factor(errors, spread) / NormalDist().inv_cdf((1 + PERCENTILE) / 2)
