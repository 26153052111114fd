"""`Predictions` of the runner: numbers, classes, and the reasons where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from molzoo_runner.manifest import CLASSES, NUMBERS, Manifest, Task

NO_NUMBER = "the model gave no number"


@dataclass(frozen=True)
class Predictions:
    """Predictions of n molecules for T tasks, in the order of the molecules.

    Args:
        values: (n, T), or (n, T, C) for C classes, or (n, K) where tasks are of several kinds: probabilities, or
            values in the targets' unit; NaN where there is none.
        reasons: Why there is no prediction (n); empty where there is one.
        columns: Names of the numbers of a prediction.
        classes: Predicted classes by task (n), empty where there is none; no entry for numbers.
        spread: Standard deviation of each value, where the model tells one.
        interval: Lower and upper end of an interval around each value (..., 2), where the model or `coverage` tells it.
        sets: With `coverage`, the classes that hold the true one by task (n), joined by "|".
    """

    values: np.ndarray
    reasons: list[str]
    columns: tuple[str, ...]
    classes: dict[str, list[str]]
    spread: np.ndarray | None = None
    interval: np.ndarray | None = None
    sets: dict[str, list[str]] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def table(self) -> dict[str, list[object]]:
        """Return columns by name, as the files of `molzoo predict` have them; `None` stands for no number."""
        found = self._named("predicted", self.values)
        found |= {f"class_{name}": list(words) for name, words in self.classes.items()}
        if self.spread is not None:
            found |= self._named("sd", self.spread)
        if self.interval is not None:
            found |= self._named("lower", self.interval[..., 0]) | self._named("upper", self.interval[..., 1])
        found |= {f"set_{name}": list(words) for name, words in (self.sets or {}).items()}
        return {**found, "reason": list(self.reasons)}

    def _named(self, word: str, values: np.ndarray) -> dict[str, list[object]]:
        columns = values.reshape(len(values), len(self.columns)).T
        return {
            f"{word}_{name}": [None if np.isnan(number) else float(str(number)) for number in column]
            for name, column in zip(self.columns, columns, strict=True)
        }


def explain_missing(values: np.ndarray, reasons: list[str]) -> list[str]:
    """Return the reasons, completed for molecules that were read and got no finite number."""
    missing = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return [why or (NO_NUMBER if lacks else "") for why, lacks in zip(reasons, missing, strict=True)]


def decide_classes(values: np.ndarray, manifest: Manifest) -> dict[str, list[str]]:
    """Word of the class of each molecule (n) by task, its number where classes have no words; "" without prediction."""
    return {
        task.name: [_word(task, row) for row in part]
        for task, part in by_task(values, manifest)
        if task.labels != NUMBERS
    }


def by_task(values: np.ndarray, manifest: Manifest) -> Iterator[tuple[Task, np.ndarray]]:
    """Iterate over the tasks with their numbers (n, width)."""
    flat, start = values.reshape(len(values), len(manifest.columns)), 0
    for task in manifest.tasks:
        yield task, flat[:, start : start + task.width]
        start += task.width


def _word(task: Task, numbers: np.ndarray) -> str:
    if np.isnan(numbers).any():
        return ""
    exact = numbers.astype(np.float64)
    number = int(exact.argmax()) if task.labels == CLASSES else int(exact[0] >= task.threshold)
    return name_class(task, number)


def name_class(task: Task, number: int) -> str:
    """Return the word of a class, its number where it has none."""
    return task.words[number] if number < len(task.words) else str(number)
