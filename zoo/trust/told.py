"""Estimators that take no further passes: what an ensemble or a kind of target tells by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from featurizers import PackedMolecules
from zoo.learners import evaluation
from zoo.learners.learner import Learner
from zoo.learners.predictor import Predictor
from zoo.learners.uncertainty import Estimate
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of, task_entry
from zoo.tasks.distributions import BinaryDirichlet, Dirichlet, Evidential, MeanVariance, Quantile
from zoo.trust.calibration import CALIBRATED, REMEDY
from zoo.trust.conformal import require_coverage
from zoo.trust.estimator import Estimator, Told, members_of
from zoo.trust.scoring import make_loader, read_scores


@dataclass(frozen=True)
class FromTarget(Estimator):
    """Uncertainty that a kind of target tells with its prediction.

    Attributes:
        kinds: Classes of the kinds of target that tell it.
        names: Their names, for messages.
    """

    kinds: ClassVar[tuple[type, ...]]
    names: ClassVar[tuple[str, ...]]

    def misfit(self, learner: Predictor) -> str:
        """Name the kind of target that the learner was trained for, where it tells nothing of this sort."""
        if isinstance(learner, Learner) and isinstance(learner.task, self.kinds):
            return ""
        if not isinstance(learner, Learner):
            return f"model {learner.recipe.model!r} gives no scores to read it from"
        kind = task_entry(learner.fitted.task).name
        return f"it is for models trained with --task {' or '.join(self.names)}, and this one was trained as {kind!r}"

    def tell(self, learner: Any, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Read mean and variance from the scores of one pass."""
        return read_scores(learner, evaluation.run_model(learner.model, make_loader(learner, packed, batch_size)))


@dataclass(frozen=True)
class FromMeanVariance(FromTarget):
    """Variance of the Gaussian that the kind of target `mean_variance` predicts."""

    name, kinds, names = "mean_variance", (MeanVariance,), ("mean_variance",)


@dataclass(frozen=True)
class FromQuantile(FromTarget):
    """Interval that the kind of target `quantile` predicts, and the deviation of the Gaussian with such an interval."""

    name, kinds, names = "quantile", (Quantile,), ("quantile",)


@dataclass(frozen=True)
class FromEvidence(FromTarget):
    """Variance of the evidential kinds of target; see their caveats before its size is trusted."""

    name = "evidential"
    kinds = (Evidential, Dirichlet, BinaryDirichlet)
    names = ("evidential", "dirichlet", "binary_dirichlet")


@dataclass(frozen=True)
class FromEnsemble(Estimator):
    """Disagreement of the members of an ensemble.

    Members that tell a variance of their own add its mean (the law of total variance); otherwise the deviation is the
    ensemble's own `spread`.
    """

    name = "ensemble"

    def misfit(self, learner: Predictor) -> str:
        """A member fits whatever it is."""
        return ""

    def misfit_of(self, predictor: Predictor) -> str:
        """Say that one model cannot disagree with itself."""
        if len(members_of(predictor)) > 1:
            return ""
        return "this is one model, not an ensemble (zoo.ensemble, or molzoo train with several seeds)"

    def tell(self, learner: Any, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Read mean and variance from the scores of one pass."""
        return read_scores(learner, evaluation.run_model(learner.model, make_loader(learner, packed, batch_size)))

    def estimate(
        self, predictor: Predictor, molecules: Any, batch_size: int | None, on_invalid: str = "nan"
    ) -> tuple[Estimate, np.ndarray]:
        """Predict molecules; arguments as in `Estimator.estimate`."""
        if all(map(tells_variance, members_of(predictor))):
            return super().estimate(predictor, molecules, batch_size, on_invalid)
        found = predictor.plain_predictions(molecules, batch_size, on_invalid)
        return Estimate(found.values.astype(np.float64), found.spread), found.reasons


def tells_variance(learner: Predictor) -> bool:
    """Return whether a learner's kind of target predicts a variance."""
    import torch

    if not isinstance(learner, Learner):
        return False
    task = learner.task
    return task.to_spread(torch.zeros(1, task.num_scores)) is not None


@dataclass(frozen=True)
class FromCalibration(Estimator):
    """Corrected probabilities, and for numbers the size of the errors of validation: all that a calibration tells."""

    name = CALIBRATED

    def misfit(self, learner: Predictor) -> str:
        """A member fits whatever it is."""
        return ""

    def misfit_of(self, predictor: Predictor) -> str:
        """Say that there is no calibration."""
        return "" if predictor.fitted.calibration else "this run is not calibrated"

    def check(self, predictor: Predictor, coverage: float | None = None) -> None:
        """Raise a `ValueError` of one line where the learner is not calibrated, or `coverage` cannot be had."""
        if coverage is not None:
            require_coverage(coverage)
        if not predictor.fitted.calibration:
            raise ValueError(f"this run is not calibrated: {REMEDY}")
        super().check(predictor, coverage)

    def tell(self, learner: Any, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Predict once; the deviation of numbers is 1, until it is scaled."""
        values = learner.predict_packed(packed, batch_size).astype(np.float64)
        return Told(values, np.ones_like(values) if labels_of(learner.fitted.task) == NUMBERS else None)

    def estimate(
        self, predictor: Predictor, molecules: Any, batch_size: int | None, on_invalid: str = "nan"
    ) -> tuple[Estimate, np.ndarray]:
        """Predict molecules; the members of an ensemble agree about the deviation."""
        found = predictor.plain_predictions(molecules, batch_size, on_invalid)
        values = found.values.astype(np.float64)
        spread = np.ones_like(values) if labels_of(predictor.fitted.task) == NUMBERS else None
        return Estimate(values, spread), found.reasons
