"""The job that this process shares with its workers: its pieces, and their prediction."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from featurizers.collection import without_collection

if TYPE_CHECKING:
    import pandas as pd

    from zoo.data import MoleculeRows
    from zoo.learners.predictor import Predictor

REASON = "reason"


@dataclass(frozen=True)
class Job:
    """Description of the work for a worker.

    Args:
        run: Folder of a run or a checkpoint.
        device: As in `zoo.build`.
        batch_size: Molecules in a batch of the model; `None` takes what is fastest for it.
        trust: As in `zoo.load`.
        label: What messages call the source of the rows.
        how: More arguments of `Predictor.predictions`.
    """

    run: str
    device: str
    batch_size: int | None
    trust: bool = False
    label: str = ""
    how: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Predictor:
        """Read the learner; one that cannot tell what `how` asks for is refused.

        Raises:
            ValueError: The estimator of uncertainty does not fit it, or it is not calibrated.
        """
        with without_collection():
            from zoo.learners import loading  # takes seconds, in which a worker watches its parent already
            from zoo.learners.uncertainty import check_estimator

        learner = loading.load(self.run, device=self.device, trust=self.trust)
        check_estimator(learner, **self.how)
        return learner

    def table(self, learner: Predictor, molecules: MoleculeRows) -> pd.DataFrame:
        """Return the columns to add to rows (n): predictions and `reason`; the index is that of the rows."""
        return learner.predictions(molecules, batch_size=self.batch_size, **self.how).to_frame()

    def reasons(self, table: pd.DataFrame, rows: int) -> Iterable[str]:
        """Return why rows have no prediction; "" for those that have one."""
        return table[REASON]


@dataclass(frozen=True)
class Piece:
    """Some consecutive rows of a job.

    Args:
        start: Number of the first row, from 0.
        molecules: Their molecules (n), with what the model reads next to them.
        of: Whatever its maker wants to get back with the predictions.
    """

    start: int
    molecules: MoleculeRows
    of: Any = None

    @property
    def rows(self) -> str:
        """The rows for messages, by position."""
        return f"rows {self.start} to {self.start + len(self.molecules) - 1} (counted from 0)"


@dataclass(frozen=True)
class Failure:
    """Answer of a worker that failed to predict a piece.

    Args:
        reason: Why not, in one line.
        loaded: Whether it has the learner at all.
    """

    reason: str
    loaded: bool


def predict_rows(learner: Predictor, molecules: MoleculeRows, job: Job) -> pd.DataFrame:
    """Return what a job makes of some rows (n), as `Job.table`."""
    from zoo.data.features import MissingFeatureWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingFeatureWarning)  # counted for the complete file
        return job.table(learner, molecules)
