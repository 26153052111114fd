"""`Task`: the meaning of a target, from its loss to the prediction that users see.

A new kind of target is one class here (or in a plugin) and one entry in `zoo.registry.catalog.targets`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE


class Task(ABC):
    """Kind of the T targets of a model.

    Attributes:
        labels: What the cells hold: "zero_one", "classes" (0, 1, ..., C - 1) or "numbers".
        default_metric: Metric that decides by default.
        metrics: Names of further metrics that fit.
        scaled: Whether targets are standardized for training, and predictions scaled back.
        num_scores: Scores that a target needs of the model; the model's output has S = T * num_scores columns.
        num_classes: C of `num_classes` probabilities for each target; 0 where a prediction is one number.
    """

    labels: ClassVar[str]
    default_metric: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]] = ()
    scaled: ClassVar[bool] = False
    num_scores: int = 1
    num_classes: int = 0

    @abstractmethod
    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Loss of every label.

        Args:
            scores: (B, S).
            targets: (B, T), scaled if `scaled`; any valid label where it is missing.

        Returns:
            (B, T), without regard to which labels are missing.
        """

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

    Example:
        >>> Binary().to_predictions(torch.zeros(1, 2))
        tensor([[0.5000, 0.5000]])
    """

    labels, default_metric = ZERO_ONE, "roc_auc"

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy of every label (B, T)."""
        return F.binary_cross_entropy_with_logits(scores, targets, reduction="none")

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Probability of class 1 (B, T)."""
        return torch.sigmoid(scores)


class Multiclass(Task):
    """Three or more classes; the scores of a target are logits of its classes.

    Args:
        num_classes: C, at least 2; tasks with fewer classes leave the last ones unused.

    Raises:
        ValueError: Fewer than two classes.

    Example:
        >>> Multiclass(num_classes=4).to_predictions(torch.zeros(1, 8)).shape
        torch.Size([1, 2, 4])
    """

    labels, default_metric = CLASSES, "accuracy"

    def __init__(self, num_classes: int = 0) -> None:
        if num_classes < 2:
            raise ValueError(
                f"num_classes={num_classes}: a multiclass task needs at least 2; build with dataset=, or give "
                'task_args={"num_classes": ...}'
            )
        self.num_classes = self.num_scores = num_classes

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of every label (B, T)."""
        return F.cross_entropy(self._of_classes(scores).movedim(-1, 1), targets.long(), reduction="none")

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Probability of each class (B, T, C)."""
        return self._of_classes(scores).softmax(dim=-1)

    def _of_classes(self, scores: Tensor) -> Tensor:
        """Reshape scores (B, T * C) to (B, T, C)."""
        return scores.unflatten(-1, (-1, self.num_classes))


class Regression(Task):
    """A number; the score is its standardized value."""

    labels, default_metric, scaled = NUMBERS, "rmse", True

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Squared error of every label (B, T)."""
        return F.mse_loss(scores, targets, reduction="none")

    def to_predictions(self, scores: Tensor) -> Tensor:
        """The scores as they are (B, T)."""
        return scores


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
