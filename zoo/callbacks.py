"""What watches a training run: progress, TensorBoard, early stopping, checkpoints.

Every method is optional; `run` is the `zoo.training.TrainingRun`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from zoo import checkpoint

if TYPE_CHECKING:
    from zoo.history import EpochRecord
    from zoo.training import TrainingRun


class Callback:
    """Base class; override what is of interest."""

    def on_fit_start(self, run: TrainingRun) -> None:
        """Before the first step (after resuming, before the next)."""

    def on_step_end(self, run: TrainingRun) -> None:
        """After an optimizer step; `run.loss`, `run.step`, `run.optimizer.last` describe it."""

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """After validation; `run.epoch` counts the finished epochs, `run.history` ends with `record`."""

    def on_fit_end(self, run: TrainingRun) -> None:
        """After the last step, also after an exception."""


class Progress(Callback):
    """A progress bar over all steps and a line per epoch, in the terminal and in notebooks.

    Args:
        bar: Show the bar; `None` shows it where the output is a terminal or a notebook.
    """

    def __init__(self, bar: bool | None = None) -> None:
        self.disable = None if bar is None else not bar
        self.bar: Any = None

    def on_fit_start(self, run: TrainingRun) -> None:
        """Open the bar."""
        self.bar = tqdm(
            total=run.total_steps, initial=run.step, desc="training", unit="step", disable=self.disable, leave=False
        )

    def on_step_end(self, run: TrainingRun) -> None:
        """Advance it."""
        self.bar.update()
        self.bar.set_postfix(epoch=run.epoch + 1, loss=f"{run.loss:.3f}", refresh=False)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Print a line."""
        metrics = "".join(f"  valid {name} {value:.4f}" for name, value in list(record.valid.items())[:1])
        best = "  best" if run.history.best_epoch == record.epoch and record.valid else ""
        width = len(str(run.options.epochs))
        tqdm.write(
            f"epoch {record.epoch + 1:{width}d}/{run.options.epochs}  loss {record.loss:.4f}{metrics}"
            f"  {record.molecules_per_second:,.0f} molecules/s{best}",
            file=sys.stdout,
        )

    def on_fit_end(self, run: TrainingRun) -> None:
        """Close the bar."""
        self.bar.close()


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
        """A resumed run may have stopped already."""
        self.check(run)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Count the epochs since the best."""
        self.check(run)

    def check(self, run: TrainingRun) -> None:
        """Set `run.stop` when patience has run out."""
        best = run.history.best_epoch
        run.stop = run.stop or (best is not None and run.epoch - 1 - best >= self.patience)


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
        """Write one of the two."""
        checkpoint.write(self.folder / name, run.recipe, run.model, run.state_dict())


class TensorBoard(Callback):
    """Write a run for TensorBoard.

    Scalars: `train/` loss, learning rate, molecules per second; `sharpness/` ρ, norm of the updating gradient, passes
    per step, cosine between the perturbation and the updating gradient; `valid/` metrics. The recipe is shown as text
    and, with the final metrics, under HParams.

    Args:
        folder: Where the event file goes.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.writer: Any = None

    def on_fit_start(self, run: TrainingRun) -> None:
        """Open the event file; after resuming, steps that are done again replace what was written."""
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(self.folder), purge_step=run.step + 1)
        run.optimizer.diagnostics = True
        if run.step == 0:
            self.writer.add_text("recipe", "```json\n" + run.recipe.to_json() + "\n```", 0)
        self.mark(run)

    def mark(self, run: TrainingRun) -> None:
        """Remember where the interval between two records begins."""
        self.since = (run.step, run.optimizer.passes)

    def on_step_end(self, run: TrainingRun) -> None:
        """Write the scalars of a step."""
        last, (step, passes) = run.optimizer.last, self.since
        if last is None or run.step % run.options.log_every:
            return
        scalars = {
            "train/loss": run.loss,
            "train/learning_rate": run.learning_rate,
            "train/molecules_per_second": run.molecules / max(run.seconds, 1e-9),
            "sharpness/rho": last.rho,
            "sharpness/grad_norm": last.grad_norm,
            "sharpness/passes_per_step": (run.optimizer.passes - passes) / (run.step - step),
            "sharpness/cosine": last.cosine,
        }
        for name, value in scalars.items():
            if value is not None:
                self.writer.add_scalar(name, float(value), run.step)
        self.mark(run)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Write the metrics of an epoch."""
        self.writer.add_scalar("train/epoch_loss", record.loss, run.step)
        for name, value in record.valid.items():
            self.writer.add_scalar(f"valid/{name}", value, run.step)
        self.writer.flush()
        self.mark(run)

    def on_fit_end(self, run: TrainingRun) -> None:
        """Write the hyperparameters beside the best validation metric, and close the file."""
        if run.history.best is not None:
            self.write_hparams(run)
        self.writer.close()

    def write_hparams(self, run: TrainingRun) -> None:
        """The HParams page shows one row per run; `add_test_metrics` completes it."""
        from torch.utils.tensorboard.summary import hparams

        metric, best = run.history.metric, run.history.best
        values = {name: value for name, value in flatten(run.recipe.to_dict()).items() if value is not None}
        for summary in hparams(values, {f"best/valid_{metric}": best, f"test/{metric}": None}):
            self.writer.file_writer.add_summary(summary)
        self.writer.add_scalar(f"best/valid_{metric}", best, run.step)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; lists as text."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value) if isinstance(value, (list, tuple)) else value
    return flat


def add_test_metrics(folder: str | Path, metrics: dict[str, float], step: int) -> None:
    """Write the metrics of the test part beside a run that `TensorBoard` has written."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for name, value in metrics.items():
            writer.add_scalar(f"test/{name}", value, step)
