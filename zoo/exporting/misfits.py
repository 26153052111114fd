"""Learners that cannot be exported, and why."""

from __future__ import annotations

from typing import Any

import featurizers
from zoo.learners import Baseline, Learner
from zoo.learners.ensemble import Ensemble
from zoo.learners.evaluation import runs_on_tensors
from zoo.learners.predictor import Predictor

__all__ = ["ExportError", "require_exportable", "why_not"]
FOREST = "trees of scikit-learn are not a network of tensors, which is what ONNX is written from"
OWN_FEATURES = "it reads numbers next to each molecule, and an exported model takes molecules alone"
SEVERAL = "it reads several molecules in a row, and an exported model takes one"
OF_OTHERS = (
    "it has modules that are neither torch's nor molzoo's, which may need a graph of DGL: "
    "only sums of torch can be written as ONNX"
)


class ExportError(ValueError):
    """A learner that cannot be exported; one line says why."""


def why_not(learner: Predictor) -> str:
    """Return why a learner cannot be exported; empty where nothing is known to speak against it.

    Example:
        >>> import zoo
        >>> why_not(zoo.build("gcn"))
        ''
        >>> why_not(zoo.build("random_forest"))
        'trees of scikit-learn are not a network of tensors, which is what ONNX is written from'
    """
    if isinstance(learner, Ensemble):
        reasons = (why_not(member) for member in learner.members)
        return next((f"member {number}: {why}" for number, why in enumerate(reasons) if why), "")
    if isinstance(learner, Baseline):
        return FOREST
    if not isinstance(learner, Learner):
        return f"a {type(learner).__name__} is no network"
    if learner.fitted.untrained:
        return f"its {' and '.join(learner.fitted.untrained)} was never trained: train it on your data first"
    if learner.fitted.feature_names:
        return OWN_FEATURES
    if len(learner.fitted.smiles_columns) > 1:
        return SEVERAL
    kind = type(learner.featurizer)
    if kind.__name__ not in dir(featurizers) or getattr(featurizers, kind.__name__) is not kind:
        return f"its featurizer {learner.recipe.featurizer!r} is no class of the package featurizers"
    return "" if runs_on_tensors(learner.model) else OF_OTHERS


def require_exportable(learner: Predictor) -> None:
    """Raise an `ExportError` where `why_not` knows a reason."""
    if reason := why_not(learner):
        raise ExportError(f"{name_of(learner)} cannot be exported: {reason}")


def name_of(learner: Any) -> str:
    """Return what messages call a learner."""
    if isinstance(learner, Ensemble):
        return f"an ensemble of {len(learner.members)}"
    return f"model {learner.recipe.model!r}"
