"""`Progress`: a bar over all steps and a line per epoch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from zoo.tasks import format_value
from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class Progress(Callback):
    """A progress bar over all steps and a line per epoch, in the terminal and in notebooks.

    Args:
        bar: Show the bar; `None` shows it where the output is a terminal or a notebook.
    """

    def __init__(self, bar: bool | None = None) -> None:
        self.disable = None if bar is None else not bar
        self.bar: Any = None

    def on_fit_start(self, run: TrainingRun) -> None:
        """Say what was chosen for this run, and open the bar."""
        for note in run.history.notes:
            tqdm.write(f"training   {note}", file=sys.stdout)
        self.bar = tqdm(
            total=run.total_steps, initial=run.step, desc="training", unit="step", disable=self.disable, leave=False
        )

    def on_step_end(self, run: TrainingRun) -> None:
        """Advance the bar."""
        self.bar.update()
        self.bar.set_postfix(epoch=run.epoch + 1, loss=f"{run.loss:.3g}", refresh=False)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Print a line about the epoch."""
        metrics = "".join(f"  valid {name} {format_value(value)}" for name, value in list(record.valid.items())[:1])
        best = "  best" if run.history.best_epoch == record.epoch and record.valid else ""
        width = len(str(run.num_epochs))
        tqdm.write(
            f"epoch {record.epoch:{width}d}/{run.num_epochs}  loss {format_value(record.loss)}{metrics}"
            f"  {record.molecules_per_second:,.0f} molecules/s{best}",
            file=sys.stdout,
        )

    def on_fit_end(self, run: TrainingRun) -> None:
        """Close the bar."""
        self.bar.close()
        if run.history.diverged:
            tqdm.write(f"stopped    {run.history.diverged}", file=sys.stdout)
