"""`TensorBoard`: scalars, the recipe and hyperparameters of a run in its event file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.runs.continuing import flatten
from zoo.runs.log import RunLog
from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class TensorBoard(Callback):
    """Write a run for TensorBoard.

    Scalars: `train/` loss and the parts of it that the objective names, learning rate, molecules per second;
    `sharpness/` ρ, norm of the updating gradient, passes per step, cosine between the perturbation and the updating
    gradient; `valid/` metrics, and under `valid_unaveraged/` those of the trained weights where an average is kept. The
    recipe is shown as text and, with the final metrics of a run that has come to its end, under HParams.

    Args:
        folder: Where the event file goes; `None` takes the run's own log, which `fit(logdir=...)` opens.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = None if folder is None else Path(folder)
        self.since = (0, 0)

    def on_fit_start(self, run: TrainingRun) -> None:
        """Continue the event file; steps that are done again replace what was written."""
        if self.folder is not None and self.folder != run.log.folder:
            run.log = RunLog(self.folder)
        if run.step:
            run.log.continue_at(run.step)
        else:
            run.log.text("recipe", "```json\n" + run.recipe.to_json() + "\n```", 0)
        run.optimizer.diagnostics = True
        self.mark(run)

    def mark(self, run: TrainingRun) -> None:
        """Remember where the interval between two records begins."""
        self.since = (run.step, run.optimizer.passes)

    def on_step_end(self, run: TrainingRun) -> None:
        """Write the scalars of a step."""
        last, (step, passes) = run.optimizer.last, self.since
        if last is None or run.step % run.options.log_every:
            return
        scalars: dict[str, Any] = {
            "train/loss": run.loss,
            "train/learning_rate": run.learning_rate,
            "train/molecules_per_second": run.molecules / max(run.seconds, 1e-9),
            "sharpness/rho": last.rho,
            "sharpness/grad_norm": last.grad_norm,
            "sharpness/passes_per_step": (run.optimizer.passes - passes) / (run.step - step),
            "sharpness/cosine": last.cosine,
        }
        scalars |= {f"train/{name}": part for name, part in run.parts.items()}
        run.log.scalars({name: None if value is None else float(value) for name, value in scalars.items()}, run.step)
        self.mark(run)

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Write the metrics of an epoch."""
        metrics = {f"valid/{name}": value for name, value in record.valid.items()}
        metrics |= {f"valid_unaveraged/{name}": value for name, value in record.unaveraged.items()}
        run.log.scalars({"train/epoch_loss": record.loss, **metrics}, run.step)
        run.log.flush()
        self.mark(run)

    def on_fit_end(self, run: TrainingRun) -> None:
        """Write the hyperparameters next to the best validation metric, unless the run was cut off."""
        complete = run.stop or run.epoch >= run.num_epochs
        if complete and run.history.best is not None:
            name = f"best/valid_{run.history.metric}"
            values = {
                key: str(v) if isinstance(v, (list, tuple, dict)) else v
                for key, v in flatten(run.recipe.to_dict()).items()
            }
            run.log.hparams(values, {name: None, f"test/{run.history.metric}": None})
            run.log.scalars({name: run.history.best}, run.step)
        run.log.flush()
        if self.folder is not None:
            run.log.close()
