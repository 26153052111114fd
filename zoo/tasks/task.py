"""`Task`: the meaning of a target, from its loss to the prediction that users see.

A new kind of target is one class here (or in a plugin) and one entry in `zoo.registry.catalog.targets`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.tasks import losses


class Task(ABC):
    """Kind of the T targets of a model.

    Attributes:
        labels: What the cells hold: "zero_one", "classes" (0, 1, ..., C - 1) or "numbers".
        default_metric: Metric that decides by default.
        metrics: Names of further metrics that fit.
        scaled: Whether targets are standardized for training, and predictions scaled back.
        num_scores: Scores that a target needs of the model; the model's output has S = T * num_scores columns.
        num_classes: C of `num_classes` probabilities for each target; 0 where a prediction is one number.
        unscaled: Numbers of targets that stay as they are, although others are `scaled`.
    """

    labels: ClassVar[str]
    default_metric: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]] = ()
    scaled: ClassVar[bool] = False
    num_scores: int = 1
    num_classes: int = 0
    unscaled: tuple[int, ...] = ()

    def count_scores(self, num_tasks: int) -> int:
        """Scores S that T targets need of the model."""
        return num_tasks * self.num_scores

    @abstractmethod
    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Loss of every label.

        Args:
            scores: (B, S).
            targets: (B, T), scaled if `scaled`; any valid label where it is missing.

        Returns:
            (B, T), without regard to which labels are missing.
        """

    def bounded_loss(self, scores: Tensor, targets: Tensor, bounds: Tensor) -> Tensor:
        """Loss of every label (B, T) where some are bounds: 0 where a prediction keeps its bound.

        Args:
            scores: (B, S).
            targets: (B, T), as for `elementwise_loss`.
            bounds: What each label is (B, T): -1 an upper bound, 1 a lower bound, 0 exact.
        """
        fine = losses.kept(self.to_predictions(scores), targets, bounds)
        return self.elementwise_loss(scores, targets).masked_fill(fine, 0.0)

    @abstractmethod
    def to_predictions(self, scores: Tensor) -> Tensor:
        """Turn scores (B, S) into predictions (B, T) or (B, T, C), before any scaling back."""

    def to_spread(self, scores: Tensor) -> Tensor | None:
        """Standard deviation that scores (B, S) tell, in the shape of the predictions; None where they tell none.

        Kinds of target that predict a distribution override it; it is scaled back as a deviation.
        """
        return None

    def to_interval(self, scores: Tensor) -> Tensor | None:
        """Lower and upper end (B, T, 2) that scores (B, S) tell; None where they tell none. Scaled back as values."""
        return None


class Binary(Task):
    """Two classes; the score is the logit of class 1.

    Args:
        loss: "cross_entropy"; "focal": labels that are predicted well count less; or "squared_cross_entropy": half the
            squared cross-entropy, so that labels that are predicted badly count more.
        gamma: Of the focal loss, at least 0.

    Raises:
        ValueError: Another loss, or a negative gamma.

    Example:
        >>> Binary().to_predictions(torch.zeros(1, 2))
        tensor([[0.5000, 0.5000]])
    """

    labels, default_metric = ZERO_ONE, "roc_auc"

    def __init__(self, loss: str = "cross_entropy", gamma: float | None = None) -> None:
        self.loss, self.gamma = loss, focal_gamma(loss, gamma)
        self._reshape = losses.CLASSIFICATION[loss]

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy of every label (B, T), or what another loss makes of it."""
        found = F.binary_cross_entropy_with_logits(scores, targets, reduction="none")
        return self._reshape(found, self.gamma)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Probability of class 1 (B, T)."""
        return torch.sigmoid(scores)


class Multiclass(Task):
    """Three or more classes; the scores of a target are logits of its classes.

    Args:
        num_classes: C, at least 2; tasks with fewer classes leave the last ones unused.
        loss: "cross_entropy"; "focal": labels that are predicted well count less; or "squared_cross_entropy": half the
            squared cross-entropy, so that labels that are predicted badly count more.
        gamma: Of the focal loss, at least 0.

    Raises:
        ValueError: Fewer than two classes, another loss, or a negative gamma.

    Example:
        >>> Multiclass(num_classes=4).to_predictions(torch.zeros(1, 8)).shape
        torch.Size([1, 2, 4])
    """

    labels, default_metric = CLASSES, "accuracy"

    def __init__(self, num_classes: int = 0, loss: str = "cross_entropy", gamma: float | None = None) -> None:
        if num_classes < 2:
            raise ValueError(
                f"num_classes={num_classes}: a multiclass task needs at least 2; build with dataset=, or give "
                'task_args={"num_classes": ...}'
            )
        self.num_classes = self.num_scores = num_classes
        self.loss, self.gamma = loss, focal_gamma(loss, gamma)
        self._reshape = losses.CLASSIFICATION[loss]

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of every label (B, T), or what another loss makes of it."""
        found = F.cross_entropy(self._of_classes(scores).movedim(-1, 1), targets.long(), reduction="none")
        return self._reshape(found, self.gamma)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Probability of each class (B, T, C)."""
        return self._of_classes(scores).softmax(dim=-1)

    def _of_classes(self, scores: Tensor) -> Tensor:
        """Reshape scores (B, T * C) to (B, T, C)."""
        return scores.unflatten(-1, (-1, self.num_classes))


class Regression(Task):
    """A number; the score is its standardized value.

    Args:
        loss: "mse" (squared error: the mean is predicted), "mae" (absolute error: the median), or "huber".
        delta: Error from which Huber's loss is linear, above 0, in standard deviations of the training labels.

    Raises:
        ValueError: Another loss, or a `delta` without effect or out of range.

    Example:
        >>> Regression(loss="mae").elementwise_loss(torch.tensor([[3.0]]), torch.tensor([[1.0]]))
        tensor([[2.]])
    """

    labels, default_metric, scaled = NUMBERS, "rmse", True

    def __init__(self, loss: str = "mse", delta: float | None = None) -> None:
        require_loss(loss, tuple(losses.REGRESSION))
        if delta is not None and loss != "huber":
            raise ValueError(f"delta={delta} has no effect on loss={loss!r}: leave it out, or give loss='huber'")
        if delta is not None and not 0 < delta < math.inf:
            raise ValueError(f"delta={delta}: give a number above 0")
        self.loss, self.delta = loss, 1.0 if delta is None else float(delta)

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Error of every label (B, T)."""
        return losses.REGRESSION[self.loss](scores, targets, self.delta)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """The scores as they are (B, T)."""
        return scores


def require_loss(loss: str, known: Sequence[str]) -> None:
    """Raise a `ValueError` unless a loss is one of those that the kind of target has."""
    if loss not in known:
        raise ValueError(f"loss={loss!r}: choose one of {', '.join(known)}")


def focal_gamma(loss: str, gamma: float | None) -> float:
    """Return the exponent of the focal loss: what was given, or 2; 0 for other losses.

    Raises:
        ValueError: Another loss, or a `gamma` without effect or out of range.
    """
    require_loss(loss, tuple(losses.CLASSIFICATION))
    if gamma is None:
        return 2.0 if loss == "focal" else 0.0
    if loss != "focal":
        raise ValueError(f"gamma={gamma} has no effect on loss={loss!r}: leave it out, or give loss='focal'")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma={gamma}: give a number of at least 0")
    return float(gamma)


def make_task(name: str, options: Mapping[str, Any] | None = None) -> Task:
    """Make the task of this name.

    Args:
        name: From the catalog; "classification" means "binary".
        options: Arguments of its class, such as `{"num_classes": 4}`.

    Raises:
        UnknownName: There is no such kind of target.
        TypeError: An option that its class does not have, or of another type.
    """
    entry = kinds.task_entry(name)
    try:
        return entry.resolve()(**{**entry.defaults, **(options or {})})
    except TypeError as error:
        raise TypeError(f"task {name!r} cannot have task_args={dict(options or {})}: {error}") from error
