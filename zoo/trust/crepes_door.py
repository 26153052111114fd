"""crepes, without the filter of warnings that it sets for the complete process when it is imported."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    from crepes import ConformalRegressor

__all__ = ["ConformalRegressor"]
