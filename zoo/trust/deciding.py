"""Classes that calibrated probabilities decide for: the threshold between two is calibrated as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo.data.arrays import Floats, Objects
from zoo.learners.decisions import decide_classes, thresholds_of
from zoo.learners.uncertainty import Estimate
from zoo.recipe.fitted import Fitted
from zoo.registry.catalog.targets import ZERO_ONE
from zoo.registry.kinds import labels_of
from zoo.trust.calibration import Calibration


def decide_calibrated(values: Floats, fitted: Fitted, calibration: Calibration | None) -> dict[str, Objects] | None:
    """Decide for classes as `decide_classes` does; corrections are monotone, so that decisions stay what they were.

    Args:
        values: Probabilities (n, T) or (n, T, C), corrected where there is a calibration.
        fitted: Kind of target, thresholds of uncorrected probabilities, and words.
        calibration: What corrected them.
    """
    if calibration is None or not fitted.thresholds or labels_of(fitted.task) != ZERO_ONE:
        return decide_classes(values, fitted)
    corrected = calibration.correct(Estimate(np.array([thresholds_of(fitted)], np.float64))).values[0]
    cuts = dict(zip(fitted.output_names, corrected.tolist(), strict=True))
    return decide_classes(values, replace(fitted, thresholds={name: cuts[name] for name in fitted.thresholds}))
