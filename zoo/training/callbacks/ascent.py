"""`AscentMonitor`: does the perturbation of a sharpness-aware rule climb?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import optim
from zoo.training.callbacks.base import Callback

if TYPE_CHECKING:
    from zoo.training.closures import WindowClosure
    from zoo.training.loop import TrainingRun


class AscentMonitor(Callback):
    """Measure, every few steps, what the perturbation of a sharpness-aware rule does to the loss of its batch.

    TensorBoard shows `sharpness/ascent_cosine`, the cosine of the angle between the perturbation in use and the
    gradient at the weights, and `sharpness/ascent_rise`, the relative rise of the loss from the weights to the
    perturbed weights. The history has their means by epoch, and in `ascent_positive` the share of steps whose cosine is
    above 0. Steps that are not perturbed count for nothing. The training goes on bit for bit as if nobody measured, and
    its time does not count as training; a measurement takes two passes. The training option `ascent_every` adds a
    monitor.

    Args:
        every: Steps between two measurements, at least 1.

    Attributes:
        found: What was measured, by number of the step (from 1).

    Example:
        >>> import zoo
        >>> data = zoo.data.load((["CCO", "CCN", "CCC", "CCCl"], [0, 1, 0, 1]))
        >>> monitor = zoo.callbacks.AscentMonitor(every=1)
        >>> learner = zoo.build("gcn", optimizer="sam", dataset=data)
        >>> history = learner.fit(data, split=None, epochs=1, callbacks=[monitor], progress=False)
        >>> monitor.found[1].cosine > 0.99
        True
    """

    def __init__(self, every: int = 50) -> None:
        if every < 1:
            raise ValueError(f"every={every}: at least 1 step")
        self.every = every
        self.found: dict[int, optim.Ascent] = {}
        self._probe: optim.AscentProbe | None = None

    def on_step_start(self, run: TrainingRun, closure: WindowClosure) -> None:
        """Look at the gradient at the weights, if it is time and the step may be perturbed."""
        self._probe = None
        run.optimizer.horizon = run.total_steps
        if run.step % self.every == 0 and any(stretch.radius > 0 for stretch in run.optimizer.stretches()):
            self._probe = optim.AscentProbe(run.optimizer, closure, run.context)

    def on_step_end(self, run: TrainingRun) -> None:
        """Compare the perturbation that was used with it."""
        found = None if self._probe is None else self._probe.finish()
        if found is None:
            return
        self.found[run.step] = found
        run.measure(ascent_cosine=found.cosine, ascent_rise=found.rise, ascent_positive=found.cosine > 0)
        run.log.scalars({"sharpness/ascent_cosine": found.cosine, "sharpness/ascent_rise": found.rise}, run.step)
