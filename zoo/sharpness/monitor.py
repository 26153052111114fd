"""Sharpness over the epochs of a training run."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from zoo.sharpness.measuring import SharpnessReport, check_ranges, measure_surface
from zoo.sharpness.surface import LossSurface, draw_indices
from zoo.training.callbacks import Callback

if TYPE_CHECKING:
    from zoo.training.history import EpochRecord
    from zoo.training.loop import TrainingRun


class SharpnessMonitor(Callback):
    """Measures sharpness on molecules of the training part every few epochs and after the last.

    The training goes on as if it were not there: weights, gradients, modes and random state stay as they are, its time
    does not count as training, and a measurement that fails is a warning. With a `logdir`, TensorBoard shows
    `sharpness/loss_rise`, `sharpness/random_rise`, `sharpness/largest_eigenvalue` and `sharpness/trace`, as far as they
    are measured. The training option `sharpness_every` adds a monitor with these defaults.

    Args:
        every: Epochs between two measurements, at least 1.
        show: Print a line for each measurement.
        rho: As in `zoo.sharpness.measure`, like all that follow.
        adaptive: Scale the ball to the weights.
        eta: Added to |w| when adaptive.
        directions: Random directions to try.
        eigenvalues: How many of the Hessian's largest; 0 leaves out eigenvalues and trace, the slow part.
        trace_probes: Random vectors for the trace.
        max_molecules: Measure on so many molecules, the same ones each time.
        stochastic: With dropout and random depths, and the training loss.
        seed: Of all draws.

    Attributes:
        reports: What was measured, by epoch (from 1).

    Example:
        >>> import zoo
        >>> learner = zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2})
        >>> monitor = zoo.sharpness.SharpnessMonitor(every=1, max_molecules=8, eigenvalues=0)
        >>> data = zoo.data.load("b3db").subset(range(0, 7800, 200))
        >>> history = learner.fit(data, split="random", epochs=2, callbacks=[monitor], progress=False)
        >>> sorted(monitor.reports)
        [1, 2]
    """

    def __init__(
        self,
        every: int = 1,
        *,
        show: bool = False,
        rho: float = 0.05,
        adaptive: bool = False,
        eta: float = 0.01,
        directions: int = 4,
        eigenvalues: int = 1,
        trace_probes: int = 2,
        max_molecules: int = 128,
        stochastic: bool = False,
        seed: int = 0,
    ) -> None:
        if every < 1:
            raise ValueError(f"every={every}: at least 1 epoch")
        check_ranges(rho, eta, directions, eigenvalues, trace_probes)
        self.every, self.show = every, show
        self.max_molecules, self.stochastic, self.seed = max_molecules, stochastic, seed
        self.options: dict[str, Any] = {
            "rho": rho,
            "adaptive": adaptive,
            "eta": eta,
            "directions": directions,
            "eigenvalues": eigenvalues,
            "trace_probes": trace_probes,
            "seed": seed,
        }
        self.reports: dict[int, SharpnessReport] = {}
        self.surface: LossSurface | None = None

    def on_fit_start(self, run: TrainingRun) -> None:
        """Draw the molecules."""
        loader = run.loader
        indices = draw_indices(loader.indices, self.max_molecules, self.seed)
        parts = np.split(indices, range(loader.batch_size, len(indices), loader.batch_size))
        batches = [loader.batch(part) for part in parts]
        task = getattr(run.objective, "task", run.objective)
        weighting = getattr(run.objective, "weighting", None)
        self.surface = LossSurface(
            run.model, batches, task, weighting=weighting, stochastic=self.stochastic, seed=self.seed
        )

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Measure and report."""
        last = run.stop or run.epoch == run.num_epochs
        if self.surface is None or (run.epoch % self.every and not last):
            return
        try:
            report = measure_surface(self.surface, **self.options)
        except (ValueError, TypeError, RuntimeError) as error:  # such as eigenvalues that do not converge
            warnings.warn(f"no sharpness after epoch {run.epoch}: {error}", stacklevel=2)
            return
        self.reports[record.epoch] = report
        write(report, run)
        if self.show:
            tqdm.write(format_report(report), file=sys.stdout)


def write(report: SharpnessReport, run: TrainingRun) -> None:
    """Add what was measured to the run's TensorBoard, if it has one."""
    scalars = {"loss_rise": report.loss_rise, "random_rise": report.random_rise, "trace": report.trace}
    if report.eigenvalues:
        scalars["largest_eigenvalue"] = report.eigenvalues[0]
    run.log.scalars({f"sharpness/{name}": value for name, value in scalars.items()}, run.step)
    run.log.flush()


def format_report(report: SharpnessReport) -> str:
    """Format a measurement in one line."""
    curvature = f"largest Hessian eigenvalue {report.eigenvalues[0]:.4g}  " if report.eigenvalues else ""
    return f"sharpness  {curvature}loss rise {report.loss_rise:.4g} (rho {report.rho:g})"
