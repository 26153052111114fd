"""The training loop, one for every optimizer.

A step hands the optimizer a closure that computes gradients of the batch at hand. Sharpness-aware optimizers call it as
often as their rule needs, all others once; nothing else in the loop knows the difference.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import optim
from optim.context import StepContext
from zoo.data import Batch, MoleculeLoader, prefetch
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.folder import RunFolder
from zoo.runs.log import RunLog
from zoo.tasks import Objective
from zoo.tasks.metrics import LOSS
from zoo.training import distributed, resuming
from zoo.training.closures import WindowClosure
from zoo.training.divergence import TOLERATED_WITH_SCALER, LossGuard, of_validation
from zoo.training.history import EpochRecord, History
from zoo.training.parts import freeze
from zoo.training.schedules import make_schedule


class TrainingRun:
    """State and loop of one training run; callbacks get it as their argument.

    Args:
        model: On its device.
        optimizer: Any torch optimizer over the model's parameters.
        loader: The training part; its targets are scaled already.
        objective: What a step minimises.
        options: How to train; the number of epochs is known.
        recipe: What was asked for, for checkpoints and logs.
        fitted: What came of it, for checkpoints.
        metric: Validation metric that decides which epoch is best.
        validate: Computes the validation metrics, an `Evaluation` or a plain dict; `None` without a validation part.
        callbacks: Objects with any of the methods of `zoo.callbacks.Callback`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loader: MoleculeLoader,
        *,
        objective: Objective,
        options: TrainingOptions,
        recipe: Recipe,
        fitted: Fitted,
        metric: str,
        validate: Callable[[], dict[str, float]] | None = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        self.model, self.loader, self.objective = model, loader, objective
        self.options, self.recipe, self.validate, self.callbacks = options, recipe, validate, list(callbacks)
        self.fitted = fitted
        self.optimizer = optim.as_sharpness_aware(optimizer)
        self.device = next(model.parameters()).device
        self.replica = distributed.replicate(model, partly=bool(recipe.start and recipe.start.freeze))
        self.steps_per_epoch = -(-len(loader) // options.accumulate)
        if options.epochs is None:
            raise ValueError("epochs=None: let zoo.training.plan.plan_training choose their number")
        self.num_epochs = options.epochs
        self.scheduler = make_schedule(self.optimizer, options, self.num_epochs, self.steps_per_epoch)
        self.grad_scaler = torch.amp.GradScaler(self.device.type) if options.precision == "float16" else None
        self.context = self._step_context()
        self.average = make_average(model, options)
        self.history = History(metric)
        self.best_weights: dict[str, Tensor] = {}
        self.epoch = self.step = self.batch = 0
        self.loss, self.parts = float("nan"), dict[str, Tensor]()
        self.guard = LossGuard(TOLERATED_WITH_SCALER if self.grad_scaler is not None else 0)
        self.stop = False
        self.log = RunLog(None)  # `fit` gives the log of the run's folder
        self._new_epoch()

    def _step_context(self) -> StepContext:
        """Return the context of every optimizer step."""
        apart = self.options.skip_first_sync and isinstance(self.replica, DistributedDataParallel)
        return StepContext(
            max_grad_norm=self.options.max_grad_norm,
            model=self.model,
            no_sync=self.replica.no_sync if apart else None,  # type: ignore[union-attr, arg-type]
            grad_scaler=self.grad_scaler,
            total_steps=self.total_steps,
            mean=partial(distributed.mean, device=self.device) if distributed.size() > 1 else None,
        )

    def _new_epoch(self) -> None:
        self.batch, self.molecules, self.loss_sum = 0, 0, 0.0
        self.seconds = self.cpu_seconds = 0.0
        self.passes_before = self.optimizer.passes
        self.measured: dict[str, list[float]] = {}

    @property
    def total_steps(self) -> int:
        """Steps of the complete run."""
        return self.steps_per_epoch * self.num_epochs

    @property
    def learning_rate(self) -> float:
        """Learning rate of the first parameter group."""
        return float(self.optimizer.param_groups[0]["lr"])

    def fit(self) -> History:
        """Train until the last epoch, or until a callback sets `stop`."""
        self.announce("on_fit_start")
        try:
            while self.epoch < self.num_epochs and not self.stop:
                self.run_epoch()
        finally:
            self.announce("on_fit_end")
        return self.history

    def run_epoch(self) -> None:
        """Train one epoch (or the rest of it, after resuming), then validate."""
        self.model.train()
        freeze(self.model, self.recipe.start, self.epoch)
        self.loader.set_epoch(self.epoch)
        self.optimizer.set_epoch(self.epoch)
        batches = prefetch(distributed.shares(self.loader, start=self.batch), self.device)
        while not self.history.diverged and (window := list(islice(batches, self.options.accumulate))):
            self.train_step(window)
        if self.history.diverged:
            return
        valid, trained = self.validate_weights()
        self.diverge(of_validation(valid.get(LOSS), self.epoch + 1))
        if self.history.diverged:
            return
        record = self.record(valid, trained)
        if self.history.add(record):
            self.best_weights = self.copy_of_weights(self.chosen_model)
        self.epoch += 1
        self._new_epoch()
        self.announce("on_epoch_end", record)

    def validate_weights(self) -> tuple[dict[str, float], dict[str, float]]:
        """Validate the weights that are kept, and next to an average those that were trained."""
        if self.validate is None:
            return {}, {}
        found = self.validate()
        if self.average is None or not self.average.ready:
            return found, {}
        with self.average.in_place_of(self.model):
            return self.validate(), found

    def diverge(self, reason: str) -> None:
        """Stop for this reason, if there is one: what was written so far stays as it is."""
        if reason:
            self.history.diverged, self.stop = reason, True

    def measure(self, **values: float) -> None:
        """Note numbers of a callback about this step; the record of the epoch has their means."""
        for name, value in values.items():
            self.measured.setdefault(name, []).append(float(value))

    def record(self, valid: dict[str, float], trained: dict[str, float]) -> EpochRecord:
        """Sum up the epoch that ends."""
        return EpochRecord.of(
            self.epoch + 1,
            valid,
            self.history.metric,
            loss=self.loss_sum / max(self.molecules, 1),
            learning_rate=self.learning_rate,
            passes=self.optimizer.passes - self.passes_before,
            steps=-(-self.batch // self.options.accumulate),
            molecules=self.molecules,
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
            unaveraged={name: value for name, value in trained.items() if math.isfinite(value)},
            measured={name: sum(values) / len(values) for name, values in self.measured.items()},
        )

    def train_step(self, window: list[Batch]) -> None:
        """One optimizer step on one batch, or on several whose gradients are averaged."""
        closure = WindowClosure(self, window)
        self.announce("on_step_start", closure)
        start, cpu_start = time.perf_counter(), time.process_time()
        loss = self.optimizer.step(closure, context=self.context)
        if self.grad_scaler is not None:
            self.grad_scaler.update()
        self.scheduler.step()
        self.loss, self.parts = float(distributed.total(loss.detach())) / distributed.size(), closure.parts
        size = self.molecules_of(len(window))
        self.loss_sum += self.loss * size
        self.molecules += size
        self.batch += len(window)
        self.step += 1
        if self.average is not None:
            self.average.update(self.model, self.step, self.total_steps)
        self.diverge(self.guard.check(self.loss, closure.losses, self.step, self.epoch + 1))
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - cpu_start
        self.announce("on_step_end")

    def molecules_of(self, batches: int) -> int:
        """Molecules of the next batches of this epoch, over all processes."""
        width, end = self.loader.batch_size, len(self.loader.indices)
        return min((self.batch + batches) * width, end) - self.batch * width

    def announce(self, event: str, *args: Any) -> None:
        """Call a method of every callback that has it."""
        for callback in self.callbacks:
            method = getattr(callback, event, None)
            if method is not None:
                method(self, *args)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that continues the run bit for bit, apart from the weights."""
        return resuming.state_of(self)

    def restore(self, folder: RunFolder) -> None:
        """Continue where the last checkpoint of a run folder was written, if there is one."""
        resuming.restore(self, folder)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        resuming.load_state(self, state)

    @property
    def chosen_model(self) -> nn.Module:
        """Model whose weights are validated and kept: that of the average, once it has begun, else the trained one."""
        return self.average.model if self.average is not None and self.average.ready else self.model

    def copy_of_weights(self, model: nn.Module) -> dict[str, Tensor]:
        """Copy the weights of a model to the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def make_average(model: nn.Module, options: TrainingOptions) -> optim.WeightAverage | None:
    """Return the average of the weights that the options ask for."""
    if options.average is None:
        return None
    return optim.WeightAverage(model, options.average, decay=options.average_decay, start=options.average_start)
