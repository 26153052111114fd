"""What a training run did, epoch by epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from zoo.data import Split
from zoo.tasks.metrics import improved


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch did.

    Args:
        epoch: From 0.
        loss: Mean training loss per molecule.
        learning_rate: At the end of the epoch.
        passes: Forward-backward passes.
        steps: Optimizer steps.
        molecules: Molecules trained on.
        seconds: Time of the training steps, without validation.
        valid: Metrics of the validation part, the deciding one first.
        cpu_seconds: Processor time of the training steps, over all threads of this process.
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

    @property
    def molecules_per_second(self) -> float:
        """Training speed."""
        return self.molecules / max(self.seconds, 1e-9)


@dataclass
class History:
    """What a training run did.

    Args:
        metric: Name of the validation metric that decided.
        epochs: One record per epoch.
        best_epoch: Epoch whose weights the learner has now; `None` before the first.
        best: Its validation metric; `None` where there is no validation part.
        split: The parts of the data.
    """

    metric: str
    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int | None = None
    best: float | None = None
    split: Split | None = None

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

        rows = [{**asdict(e), "molecules_per_second": e.molecules_per_second} for e in self.epochs]
        return pd.DataFrame([{**{k: v for k, v in r.items() if k != "valid"}, **prefixed(r["valid"])} for r in rows])

    def add(self, record: EpochRecord) -> bool:
        """Append an epoch; whether it is the best so far (without a validation metric the latest is)."""
        self.epochs.append(record)
        value = record.valid.get(self.metric)
        better = value is None or improved(self.metric, value, self.best)
        if better or self.best_epoch is None:
            self.best_epoch, self.best = record.epoch, value
            return True
        return False


def prefixed(metrics: dict[str, float]) -> dict[str, float]:
    """`{"roc_auc": 0.9}` as `{"valid_roc_auc": 0.9}`."""
    return {f"valid_{name}": value for name, value in metrics.items()}
