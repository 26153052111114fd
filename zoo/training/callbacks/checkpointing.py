"""`Checkpointing`: keep the best and the last state of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.runs import checkpoint
from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class Checkpointing(Callback):
    """Keep the best and the last state of a run as checkpoints.

    Args:
        folder: `best` and `last` are written below it.
        every: Also write `last` after every so many steps; `None` writes it at the end of each epoch only.
    """

    def __init__(self, folder: str | Path, every: int | None = None) -> None:
        self.folder, self.every = Path(folder), every

    def on_step_end(self, run: TrainingRun) -> None:
        """Write `last` within the epoch."""
        if self.every and run.step % self.every == 0:
            self.write("last", run)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Write `best` before `last`, so that a run which is cut off between them finds both."""
        if run.history.best_epoch == record.epoch:
            self.write("best", run)
        self.write("last", run)

    def write(self, name: str, run: TrainingRun) -> None:
        """Write one of the two: the best with the weights that were validated, the last with those to train on."""
        model = run.chosen_model if name == "best" else run.model
        checkpoint.write(self.folder / name, run.recipe, run.fitted, model, run.state_dict())
