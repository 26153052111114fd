"""`Callback`: observer of a training run. Every method is optional; `run` is the `zoo.training.TrainingRun`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.training.closures import WindowClosure
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class Callback:
    """Base class; override what is of interest."""

    def on_fit_start(self, run: TrainingRun) -> None:
        """Called before the first step (after resuming, before the next)."""

    def on_step_start(self, run: TrainingRun, closure: WindowClosure) -> None:
        """Called before an optimizer step, outside the measured time, with the closure that the step will call."""

    def on_step_end(self, run: TrainingRun) -> None:
        """Called after an optimizer step; `run.loss`, `run.step`, `run.optimizer.last` describe it."""

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Called after validation; `run.epoch` counts the finished epochs, `run.history` ends with `record`."""

    def on_fit_end(self, run: TrainingRun) -> None:
        """Called after the last step, also after an exception."""
