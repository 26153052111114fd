"""The loss of a model on fixed molecules as a function of its weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from optim import Vector, frozen_running_stats
from zoo.data import Batch, MoleculeDataset, MoleculeLoader, featurize
from zoo.tasks import Objective, Task, Weighting, make_task, objective_for
from zoo.training.randomness import keep_random_state, seed_generators

if TYPE_CHECKING:
    from zoo.sharpness.protocol import TrainedModel


T = TypeVar("T")


class LossSurface:
    """Mean loss over all labels of some batches, at the weights that the model has at the moment and near them.

    The same weights always give the same loss: the batches and their order are fixed, and the model is in eval mode,
    or in train mode with the same random draws at every evaluation. Gradients in `.grad`, the mode of every module,
    running statistics and torch's random state stay as they are.

    Args:
        model: On its device.
        batches: What the loss is measured on; at least one label is present.
        task: Kind of target, by name or as an object; or the objective itself.
        weighting: Weights of tasks and classes; None weighs all labels alike.
        stochastic: Train mode: dropout, random depths, statistics of the batch, and the loss that training minimises
            where that differs (GROVER's two branches). Otherwise eval mode.
        seed: Of the draws in train mode.

    Attributes:
        weights: The trainable parameters.
        molecules: Number of molecules.

    Raises:
        ValueError: There is no label, or no trainable parameter.

    Example:
        >>> import zoo
        >>> learner = zoo.build("grover", model_args={"hidden_size": 16})
        >>> surface = LossSurface.of(learner, zoo.data.load("b3db"), max_molecules=8)
        >>> loss, gradient = surface.gradient()
        >>> surface.loss_at(gradient, -0.01 / gradient.norm) < loss
        True
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Sequence[Batch],
        task: str | Task | Objective,
        *,
        weighting: Weighting | None = None,
        stochastic: bool = False,
        seed: int = 0,
    ) -> None:
        self.weighting = weighting
        self.model, self.stochastic, self.seed = model, stochastic, seed
        self.task = make_task(task) if isinstance(task, str) else task
        self.weights: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        if not self.weights:
            raise ValueError("the model has no trainable parameter: its loss has no gradient")
        device = self.weights[0].device
        self._batches = [batch.to(device) for batch in batches]
        self.molecules = sum(map(len, self._batches))
        labels = [float(batch.mask.sum()) for batch in self._batches]
        if sum(labels) == 0:
            raise ValueError(f"none of the {self.molecules} molecules has a label: take a part with labels")
        self._shares = [count / sum(labels) for count in labels]

    @classmethod
    def of(
        cls,
        learner: TrainedModel,
        dataset: MoleculeDataset,
        *,
        max_molecules: int | None = 128,
        batch_size: int = 64,
        stochastic: bool = False,
        seed: int = 0,
    ) -> LossSurface:
        """The surface of a learner's model on a data set.

        Args:
            learner: Its recipe says how targets are scaled.
            dataset: With labels.
            max_molecules: Take at most so many, drawn with `seed`; `None` takes all.
            batch_size: Molecules at a time; the loss does not depend on it in eval mode.
            stochastic: See the class.
            seed: Of the draw of molecules, and of the model's draws when `stochastic`.

        Raises:
            TypeError: The learner has no differentiable model.
        """
        if not isinstance(getattr(learner, "model", None), nn.Module):
            raise TypeError(f"model {learner.recipe.model!r} is trained without gradients: it has no loss surface")
        dataset = learner.check_dataset(dataset)
        dataset = dataset.subset(draw_indices(np.flatnonzero(dataset.readable), max_molecules, seed))
        targets = dataset.targets if learner.scaler is None else learner.scaler.transform(dataset.targets)
        packed = learner.complete(featurize(dataset, learner.featurizer, progress=False))
        loader = MoleculeLoader(
            packed,
            learner.featurizer,
            targets,
            weights=dataset.weights,
            bounds=dataset.bounds,
            batch_size=batch_size,
        )
        batches, weighting = list(loader), learner.weighting
        return cls(learner.model, batches, learner.task, weighting=weighting, stochastic=stochastic, seed=seed)

    def loss(self) -> float:
        """Mean loss over all labels."""
        with torch.no_grad():
            return sum(self.each_batch(float))

    def loss_at(self, displacement: Vector, factor: float = 1.0) -> float:
        """Loss at the weights plus `factor` times a displacement; the weights are copied back."""
        with self.kept_weights():
            with torch.no_grad():
                torch._foreach_add_(self.weights, displacement.tensors, alpha=factor)
            return self.loss()

    def gradient(self) -> tuple[float, Vector]:
        """Mean loss over all labels and its gradient."""
        total = [torch.zeros_like(w, requires_grad=False) for w in self.weights]

        def add(loss: Tensor) -> float:
            torch._foreach_add_(total, torch.autograd.grad(loss, self.weights, materialize_grads=True))
            return float(loss.detach())

        return sum(self.each_batch(add)), Vector(total)

    @contextmanager
    def kept_weights(self) -> Iterator[None]:
        """Restore the model's weights and buffers at the end of this block, by copying."""
        tensors = [*self.model.parameters(), *self.model.buffers()]
        kept = [t.detach().clone() for t in tensors]
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in zip(tensors, kept, strict=True):
                    tensor.copy_(value)

    def in_double(self) -> LossSurface:
        """Return the surface of a copy of the model in float64."""
        model = copy.deepcopy(self.model).double()
        return LossSurface(
            model,
            self._batches,
            self.task,
            weighting=self.weighting,
            stochastic=self.stochastic,
            seed=self.seed,
        )

    def each_batch(self, function: Callable[[Tensor], T]) -> list[T]:
        """Call a function with each batch's share of the loss, a scalar; return its results."""
        results = []
        objective = self.task
        if isinstance(objective, Task):
            objective = objective_for(self.model, objective, self.weighting)
        with self._mode():
            for number, (batch, share) in enumerate(zip(self._batches, self._shares, strict=True)):
                if self.stochastic:
                    seed_generators(self.seed + number)
                results.append(function(share * objective(self.model, batch).total))
        return results

    @contextmanager
    def _mode(self) -> Iterator[None]:
        modes = [(module, module.training) for module in self.model.modules()]
        with ExitStack() as stack:
            if self.stochastic:
                stack.enter_context(keep_random_state())
                stack.enter_context(frozen_running_stats(self.model))
            self.model.train(self.stochastic)
            try:
                yield
            finally:
                for module, training in modes:
                    module.training = training


def draw_indices(indices: np.ndarray, most: int | None, seed: int) -> np.ndarray:
    """A limited number of the indices, drawn without replacement and in ascending order.

    Raises:
        ValueError: `most` is below 1.
    """
    if most is not None and most < 1:
        raise ValueError(f"max_molecules={most}: at least 1, or None for all")
    if most is None or len(indices) <= most:
        return np.sort(indices)
    return np.sort(np.random.default_rng(seed).choice(indices, most, replace=False))
