"""Record of a training run, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from zoo.data import Split
from zoo.tasks import Evaluation
from zoo.tasks.metrics import is_better


@dataclass(frozen=True)
class EpochRecord:
    """Record of one epoch.

    Args:
        epoch: Its number, from 1.
        loss: Mean training loss per molecule.
        learning_rate: At the end of the epoch.
        passes: Forward-backward passes.
        steps: Optimizer steps.
        molecules: Molecules trained on.
        seconds: Time of the training steps, without validation.
        valid: Metrics of the validation part that have a value, the deciding one first, and its `loss`.
        cpu_seconds: Processor time of the training steps, over all threads of this process.
        score: Value that epochs are compared by: the deciding metric, and where several tasks have units the mean in
            their standard deviations. `None` without one.
        per_task: Where there are several tasks, the metrics of the validation part for each, `{metric: {task: value}}`.
        unpredicted: Labels of the validation part without a prediction.
        unaveraged: Where an average of the weights is kept: metrics of the validation part with the trained weights.
        measured: Means over the epoch of what callbacks measured at its steps, such as `ascent_cosine`.
    """

    epoch: int
    loss: float
    learning_rate: float
    passes: int
    steps: int
    molecules: int
    seconds: float
    valid: dict[str, float]
    cpu_seconds: float = 0.0
    score: float | None = None
    per_task: dict[str, dict[str, float]] = field(default_factory=dict)
    unpredicted: int = 0
    unaveraged: dict[str, float] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, epoch: int, valid: Mapping[str, float], metric: str, **numbers: Any) -> EpochRecord:
        """Make the record of an epoch from its validation.

        Args:
            epoch: Its number, from 1.
            valid: What validating gave, an `Evaluation` or a plain mapping; empty without validation.
            metric: The deciding one.
            **numbers: The other fields.
        """
        finite = {name: value for name, value in valid.items() if math.isfinite(value)}
        first = {metric: finite[metric]} if metric in finite else {}
        if not isinstance(valid, Evaluation):
            return cls(epoch=epoch, valid={**first, **finite}, **numbers)
        return cls(
            epoch=epoch,
            valid={**first, **finite},
            score=valid.decisive(metric),
            per_task=valid.per_task if len(valid.task_names) > 1 else {},
            unpredicted=sum(valid.unpredicted.values()),
            **numbers,
        )

    @property
    def molecules_per_second(self) -> float:
        """Training speed."""
        return self.molecules / max(self.seconds, 1e-9)

    def as_row(self) -> dict[str, Any]:
        """One flat row for tables: metrics as `valid_rmse`, those of single tasks as `valid_rmse[logS]`."""
        row = {**asdict(self), "molecules_per_second": self.molecules_per_second}
        del row["valid"], row["per_task"], row["score"], row["unaveraged"], row["measured"]
        row |= self.measured | {f"unaveraged_{name}": value for name, value in self.unaveraged.items()}
        row |= {f"valid_{name}": value for name, value in self.valid.items()}
        if self.score is not None:
            row["valid_score"] = self.score
        for name, values in self.per_task.items():
            row |= {f"valid_{name}[{task}]": value for task, value in values.items()}
        return row


@dataclass
class History:
    """Record of a training run.

    Args:
        metric: Name of the validation metric that decided, or "loss".
        epochs: One record per epoch.
        best_epoch: Number (from 1) of the epoch whose weights the learner has now; `None` before the first.
        best: Its validation metric; `None` where there is no validation part.
        split: The parts of the data.
        notes: What was chosen on the way and a user should know.
        diverged: Why training stopped before its end; empty for a run that did not diverge.
    """

    metric: str
    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int | None = None
    best: float | None = None
    split: Split | None = None
    notes: tuple[str, ...] = ()
    diverged: str = ""

    @property
    def best_score(self) -> float | None:
        """Score of the best epoch, as epochs were compared: `best`, or its mean over tasks in comparable units."""
        best = next((e for e in self.epochs if e.epoch == self.best_epoch), None)
        return self.best if best is None or best.score is None else best.score

    @property
    def seconds(self) -> float:
        """Time of all training steps."""
        return sum(e.seconds for e in self.epochs)

    @property
    def passes(self) -> int:
        """Forward-backward passes of all epochs."""
        return sum(e.passes for e in self.epochs)

    @property
    def steps(self) -> int:
        """Optimizer steps of all epochs."""
        return sum(e.steps for e in self.epochs)

    @property
    def molecules_per_second(self) -> float:
        """Training speed over all epochs."""
        return sum(e.molecules for e in self.epochs) / max(self.seconds, 1e-9)

    def to_frame(self):
        """One row per epoch, as a `pandas.DataFrame`."""
        import pandas as pd

        return pd.DataFrame([record.as_row() for record in self.epochs])

    def add(self, record: EpochRecord) -> bool:
        """Append an epoch; return whether it is the best so far (without validation the latest is).

        An epoch with fewer predictions than the best one is no better, whatever its metric, which leaves the missing
        ones out.
        """
        best = next((e for e in self.epochs if e.epoch == self.best_epoch), None)
        self.epochs.append(record)
        if best is not None and record.valid and not self._beats(record, best):
            return False
        self.best_epoch, self.best = record.epoch, record.valid.get(self.metric)
        return True

    def _beats(self, record: EpochRecord, best: EpochRecord) -> bool:
        if record.unpredicted != best.unpredicted:
            return record.unpredicted < best.unpredicted
        return is_better(self.metric, self._score(record), self._score(best))

    def _score(self, record: EpochRecord) -> float:
        score = record.valid.get(self.metric) if record.score is None else record.score
        return math.nan if score is None else score

    def state_dict(self) -> dict[str, Any]:
        """Return the state from which `load_state_dict` continues."""
        return {"epochs": [asdict(record) for record in self.epochs], "best": [self.best_epoch, self.best]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.epochs = records_from(state["epochs"])
        self.best_epoch, self.best = state["best"]


def records_from(rows: Sequence[Mapping[str, Any]]) -> list[EpochRecord]:
    """Read records that `asdict` wrote; old ones, whose epochs count from 0, are renumbered.

    Example:
        >>> row = {"epoch": 0, "loss": 1.0, "learning_rate": 0.1, "passes": 1, "steps": 1, "molecules": 1,
        ...        "seconds": 1.0, "valid": {}}
        >>> records_from([row])[0].epoch
        1
    """
    shift = shift_of_epochs(rows)
    return [EpochRecord(**{**row, "epoch": row["epoch"] + shift}) for row in rows]


def shift_of_epochs(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the number to add to the epochs of a stored history: 1 for old files, which count from 0."""
    return int(bool(rows) and rows[0]["epoch"] == 0)


def old_history(rows: Sequence[Mapping[str, Any]], best: Sequence[Any]) -> dict[str, Any]:
    """State of a history as checkpoints held it whose epochs count from 0."""
    epoch, value = best
    return {"epochs": rows, "best": [None if epoch is None else epoch + shift_of_epochs(rows), value]}
