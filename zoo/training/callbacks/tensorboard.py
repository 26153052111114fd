"""`TensorBoard`: scalars, the recipe and hyperparameters of a run as an event file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


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
