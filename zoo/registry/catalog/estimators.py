"""Every built-in estimator of uncertainty: what `learner.predictions(molecules, uncertainty=NAME)` calls.

`facts` of an estimator: `passes` says in a word what a prediction costs, in forward passes of one model.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

ESTIMATORS: Registry[Any] = Registry("estimator")


def _estimator(name: str, place: str, summary: str, passes: str, reference: str = "") -> None:
    ESTIMATORS.add(Entry(name, f"zoo.trust.{place}", summary, reference, facts={"passes": passes}))


_estimator("ensemble", "told:FromEnsemble", "Disagreement of the members of an ensemble", "members")
_estimator(
    "mc_dropout",
    "dropout:McDropout",
    "Spread of passes with dropout on",
    "passes",
    "Gal & Ghahramani 2016, arXiv:1506.02142",
)
_estimator("mean_variance", "told:FromMeanVariance", "Variance that the kind of target mean_variance predicts", "1")
_estimator("quantile", "told:FromQuantile", "Interval that the kind of target quantile predicts", "1")
_estimator("evidential", "told:FromEvidence", "Variance that an evidential kind of target predicts", "1")
_estimator("ball", "ball:Ball", "Spread over weights within SAM's radius of the trained ones", "passes + 1")
_estimator("calibrated", "told:FromCalibration", "What calibration tells: probabilities, the size of errors", "1")
