"""`Outcome`: the results of a run, in numbers and as files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo import data
from zoo.data.kinds_apart import by_kind
from zoo.learners.estimator import Baseline
from zoo.learners.learner import Learner
from zoo.runs.folder import RunFolder
from zoo.runs.machine import describe_machine, describe_versions
from zoo.tasks import Evaluation
from zoo.training.history import History
from zoo.views import plots
from zoo.views import tensorboard_pages as boards


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Args:
        learner: With the weights of the best validated epoch.
        history: The training, epoch by epoch.
        test: Metrics of the test part, the data set's own first; empty without a test part.
        folder: Where everything was written, if anywhere.
        per_task: Metrics of the test part by task.
        split_report: What is in the parts.
        card: The result in a line, where a card was written.
    """

    learner: Learner | Baseline
    history: History
    test: dict[str, float]
    folder: Path | None = None
    per_task: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    split_report: dict[str, Any] = dataclasses.field(default_factory=dict)
    card: str = ""

    @property
    def metric(self) -> str:
        """The data set's own metric."""
        return next(iter(self.test), self.history.metric)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files and tables."""
        by_steps = isinstance(self.learner, Learner)
        details = self.test.to_dict() if isinstance(self.test, Evaluation) else {}
        return {
            "metric": self.metric,
            "test": self.test,
            "test_per_task": self.per_task,
            **{f"test_{name}": details.get(name, {}) for name in ("interval", "interval_per_task", "undefined")},
            "thresholds": details.get("thresholds", {}),
            f"valid_{self.history.metric}": self.history.best,
            "valid": self.history.best,
            "best_epoch": self.history.best_epoch,
            "diverged": self.history.diverged or None,
            "notes": list(self.history.notes),
            "unpredicted": details.get("unpredicted", {}),
            "epochs": len(self.history.epochs),
            "steps": self.history.steps if by_steps else None,
            "seconds": self.history.seconds,
            "molecules_per_second": self.history.molecules_per_second,
            "passes": self.history.passes if by_steps else None,
            "parameters": self.learner.num_parameters,
            "split_report": self.split_report,
        }


class TrainingDiverged(RuntimeError):
    """The training of a run ended because its loss was no number any more.

    Args:
        outcome: What the best epoch before gave.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"training diverged: {outcome.history.diverged}")
        self.outcome = outcome


def measure_on_test(
    learner: Learner | Baseline,
    history: History,
    split: data.Split,
    test: data.MoleculeDataset,
    place: RunFolder | None,
) -> tuple[Outcome, np.ndarray]:
    """Measure a learner on the test molecules; also returns the predictions (n, T)."""
    folder, report = None if place is None else place.path, split.report().to_dict()
    if not len(test):
        return Outcome(learner, history, {}, folder, {}, report), np.empty((0, test.num_tasks), np.float32)
    predictions = learner.predict(test)
    metrics = learner.score(test, predictions)
    return Outcome(learner, history, metrics, folder, metrics.by_task, report), predictions


def write_outcome(
    place: RunFolder,
    outcome: Outcome,
    test: data.MoleculeDataset,
    predictions: np.ndarray,
    projector: int | None = None,
) -> None:
    """Write metrics, history, test predictions and pictures into the run's folder."""
    device = outcome.learner.device if isinstance(outcome.learner, Learner) else None
    place.note(versions=describe_versions(), machine=describe_machine(device))
    place.write_metrics(outcome.to_dict())
    place.write_history(outcome.history.to_frame())
    if isinstance(outcome.learner, Learner):  # one that trains itself has no curve
        plots.learning_curve(outcome.history).savefig(place.picture("learning_curve"), dpi=120)
    if len(test):
        carried = test.to_frame(extras=True)
        columns = outcome.learner.fitted.column_names
        names = [data.free_name(f"predicted_{name}", carried.columns) for name in columns]
        flat = predictions.reshape(len(predictions), -1)
        place.write_test_predictions(carried.join(pd.DataFrame(flat, columns=names, index=test.rows)))
        shown = list(by_kind(test.without_bounds(), predictions))
        for number, part in enumerate(shown):
            name = f"test_{part.dataset.task}" if number else "test"
            plots.quality(part.dataset, part.predictions).savefig(place.picture(name), dpi=120)
        steps = outcome.history.steps
        if isinstance(outcome.test, Evaluation):
            place.write_test_metrics(outcome.test.to_frame())
            boards.write_metrics(place.log, outcome.test, steps)
        for part in shown:
            boards.write_test_pages(place.log, part.dataset, part.predictions, steps)
        if projector is not None and isinstance(outcome.learner, Learner):
            first, values = shown[0].dataset, shown[0].predictions
            boards.write_projector(place.log, first, values, outcome.learner.embed, steps, projector)
