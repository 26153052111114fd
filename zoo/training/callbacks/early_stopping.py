"""`EarlyStopping`: stop when the validation metric no longer improves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class EarlyStopping(Callback):
    """Stop when the validation metric has not improved for some epochs.

    Args:
        patience: That many epochs, at least 1.
    """

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise ValueError(f"patience={patience}: at least 1 epoch, or None to train all epochs")
        self.patience = patience

    def on_fit_start(self, run: TrainingRun) -> None:
        """Check a resumed run, which may have stopped already."""
        self.check(run)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Count the epochs since the best."""
        self.check(run)

    def check(self, run: TrainingRun) -> None:
        """Set `run.stop` when patience has run out."""
        best = run.history.best_epoch
        run.stop = run.stop or (best is not None and run.epoch - best >= self.patience)
