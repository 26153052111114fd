"""`Mixed`: targets of several kinds on one encoder, such as two classes next to numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, MIXED
from zoo.tasks.task import Task, make_task


@dataclass(frozen=True)
class Group:
    """Targets of one kind.

    Args:
        task: The kind.
        places: Numbers of its targets among all T.
        scores: Numbers of their scores among all S.
    """

    task: Task
    places: list[int]
    scores: list[int]


class Mixed(Task):
    """Targets that are each learned as their own kind; their scores lie one after another.

    Predictions are (B, K): one number for a target, or the probabilities of its C classes where its kind has several.

    Args:
        kinds: Kind of each target (T).
        num_classes: C of the kinds with several classes.
        loss: Loss of the kinds that have one of this name; the others keep theirs.
        options: Options of single kinds, such as `{"regression": {"loss": "mae"}}`.

    Raises:
        ValueError: No kinds, one that is mixed itself, or options that none of them has.

    Example:
        >>> task = Mixed(["binary", "regression"])
        >>> task.to_predictions(torch.zeros(1, 2)), task.unscaled
        (tensor([[0.5000, 0.0000]]), (0,))
    """

    labels, default_metric = MIXED, "loss"

    def __init__(
        self,
        kinds: Sequence[str] = (),
        num_classes: int = 0,
        loss: str | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.kinds = tuple(kinds)
        tasks = make_tasks(self.kinds, num_classes, loss, options or {})
        self.groups: list[Group] = [Group(task, [], []) for task in tasks.values()]
        by_kind, first = dict(zip(tasks, self.groups, strict=True)), 0
        self.widths = tuple(tasks[kind].num_classes or 1 for kind in self.kinds)
        for place, kind in enumerate(self.kinds):
            group = by_kind[kind]
            group.places.append(place)
            group.scores.extend(range(first, first + group.task.num_scores))
            first += group.task.num_scores
        self.size = first
        self.scaled = any(group.task.scaled for group in self.groups)  # type: ignore[misc]
        self.unscaled = tuple(place for place, kind in enumerate(self.kinds) if not tasks[kind].scaled)

    def count_scores(self, num_tasks: int) -> int:
        """Scores S of all targets.

        Raises:
            ValueError: Another number of targets than kinds.
        """
        if num_tasks != len(self.kinds):
            raise ValueError(f"num_tasks={num_tasks}, and there are {len(self.kinds)} kinds: name one for each task")
        return self.size

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Loss of every label (B, T), by the kind of its target."""
        return self._by_target(lambda group: group.task.elementwise_loss(*self._of(group, scores, targets)))

    def bounded_loss(self, scores: Tensor, targets: Tensor, bounds: Tensor) -> Tensor:
        """Loss of every label (B, T) where some are bounds; classes have none."""

        def loss(group: Group) -> Tensor:
            mine = self._of(group, scores, targets)
            bounded = group.task.scaled
            return (
                group.task.bounded_loss(*mine, bounds[:, group.places])
                if bounded
                else group.task.elementwise_loss(*mine)
            )

        return self._by_target(loss)

    def to_predictions(self, scores: Tensor) -> Tensor:
        """Predictions of all targets, one after another (B, K)."""
        found: dict[int, Tensor] = {}
        for group in self.groups:
            values = group.task.to_predictions(scores[:, group.scores])
            for number, place in enumerate(group.places):
                found[place] = values[:, number].reshape(len(values), -1)
        return torch.cat([found[place] for place in range(len(self.kinds))], dim=1)

    @staticmethod
    def _of(group: Group, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and labels of the targets of one kind."""
        return scores[:, group.scores], targets[:, group.places]

    def _by_target(self, function: Callable[[Group], Tensor]) -> Tensor:
        """Values (B, t) of the groups, in the order of the targets (B, T)."""
        order = torch.tensor([place for group in self.groups for place in group.places]).argsort()
        return torch.cat([function(group) for group in self.groups], dim=1)[:, order.tolist()]


def make_tasks(
    names: Sequence[str], num_classes: int, loss: str | None, options: Mapping[str, Mapping[str, Any]]
) -> dict[str, Task]:
    """Make the task of each kind; arguments as for `Mixed`."""
    if not names:
        raise ValueError(
            'a mixed task needs the kind of each target: build with dataset=, or give task_args={"kinds": [...]}'
        )
    if unknown := [kind for kind in options if kind not in names]:
        raise ValueError(f"options of {unknown[0]!r}, which is not among the kinds {', '.join(dict.fromkeys(names))}")
    tasks, taken = {}, False
    for kind in dict.fromkeys(names):
        if kinds.labels_of(kind) == MIXED:
            raise ValueError(f"kind {kind!r} of a single target: name one that is not mixed itself")
        given = {"num_classes": num_classes} if kinds.labels_of(kind) == CLASSES else {}
        given |= options.get(kind, {})
        if loss is not None and "loss" in inspect.signature(kinds.task_entry(kind).resolve()).parameters:
            try:
                tasks[kind], taken = make_task(kind, {**given, "loss": loss}), True
                continue
            except ValueError:  # a loss of another kind
                pass
        tasks[kind] = make_task(kind, given)
    if loss is not None and not taken:
        raise ValueError(f"loss={loss!r}: none of the kinds {', '.join(tasks)} has it")
    return tasks
