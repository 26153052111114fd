"""Arrays with a row for each molecule: what they must hold, and hashes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from zoo.data.arrays import Float64, Int8
from zoo.data.errors import DataError
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, MIXED

UPPER, EXACT, LOWER = -1, 0, 1
"""What a label is: the value lies below it (`<`), is it, or lies above it (`>`)."""


def count_classes(
    targets: np.ndarray,
    label_names: Mapping[str, Sequence[str]],
    task_names: Sequence[str] = (),
    places: Sequence[int] | None = None,
) -> int:
    """Largest number of classes of a task: of its words, or of what its labels count up to; at least 2.

    Args:
        targets: (n, T), NaN where missing.
        label_names: Words of the classes by task.
        task_names: Names of the tasks (T), needed with `places`.
        places: Numbers of the tasks that count; `None` takes all.
    """
    if places is not None:
        names = [task_names[place] for place in places]
        targets, label_names = targets[:, places], {name: label_names[name] for name in names if name in label_names}
    largest = int(np.nanmax(targets)) + 1 if not np.isnan(targets).all() else 0
    return max([2, largest, *map(len, label_names.values())])


def require_kinds(name: str, task: str, task_kinds: Sequence[str], task_names: Sequence[str]) -> list[int]:
    """Check the kinds of the tasks of a data set, and return the numbers of those that have several classes.

    Args:
        name: Name of the data set, for messages.
        task: Kind of all tasks, or "mixed".
        task_kinds: Kind of each task (T) where they are mixed, else empty.
        task_names: Names of the tasks (T).

    Raises:
        DataError: Kinds are missing, unknown, or given although all are alike.
    """
    mixed = kinds.labels_of(task) == MIXED
    if mixed != bool(task_kinds) or (mixed and len(task_kinds) != len(task_names)):
        raise DataError(
            f"{name}: {len(task_kinds)} task_kinds for {len(task_names)} tasks of kind {task!r}: give one for each "
            "task of a mixed data set, and none for others"
        )
    for kind in task_kinds:
        try:
            kinds.check_task(kind)
        except ValueError as error:
            raise DataError(f"{name}: {error}") from error
    found = task_kinds or (task,) * len(task_names)
    return [place for place, kind in enumerate(found) if kinds.labels_of(kind) == CLASSES]


def check_weights(name: str, weights: object, n: int) -> Float64:
    """Return the weights of n molecules (n,), float64.

    Args:
        name: Name of the data set, for messages.
        weights: One number for each molecule.
        n: Number of molecules.

    Raises:
        DataError: Another number of them, or one that is negative, infinite or missing.
    """
    found = np.array(weights, dtype=np.float64).reshape(-1)
    if len(found) != n:
        raise DataError(f"{name}: {len(found)} weights for {n} molecules: give one for each")
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        raise DataError(
            f"{name}: the weight of molecule {wrong[0]} is {found[wrong[0]]:g} ({len(wrong)} such weights): weights "
            "are numbers of at least 0, correct them"
        )
    return found


def check_bounds(name: str, bounds: object, targets: np.ndarray) -> Int8 | None:
    """Return what each label (n, T) is, int8 with 0 where there is no label; `None` where all are exact.

    Args:
        name: Name of the data set, for messages.
        bounds: -1 (the label is an upper bound), 0 (exact) or 1 (a lower bound), (n, T).
        targets: (n, T).

    Raises:
        DataError: Another shape or other numbers.
    """
    given = np.asarray(bounds)
    if given.shape != targets.shape or not np.isin(given, (UPPER, EXACT, LOWER)).all():
        raise DataError(
            f"{name}: bounds are of shape {given.shape}: give -1 (upper bound), 0 (exact) or 1 (lower bound) for each "
            f"of the labels {targets.shape}"
        )
    found = np.where(np.isnan(targets), EXACT, given).astype(np.int8)
    return found if found.any() else None


def hash_rows(texts: Sequence[Sequence[str]], targets: np.ndarray, rows: np.ndarray, *others: np.ndarray | None) -> str:
    """Return the SHA-256 of rows of a data set, as 64 hex digits, the same on every platform.

    Args:
        texts: Lists of texts: SMILES (n) and names of the tasks (T).
        targets: (n, T), NaN where missing.
        rows: Row numbers (n,).
        *others: More arrays, each hashed only where there is one.
    """
    digest = hashlib.sha256()
    for each in texts:
        digest.update(f"{len(each)}\0".encode())
        digest.update("\0".join(each).encode("utf-8", "surrogatepass"))
    known = ~np.isnan(targets)
    digest.update(np.packbits(known).tobytes())
    digest.update((np.where(known, targets, 0.0) + 0.0).astype("<f8").tobytes())  # + 0.0 makes -0.0 equal 0.0
    digest.update(rows.astype("<i8").tobytes())
    for number, array in enumerate(others):
        if array is not None:
            values = np.where(np.isnan(array), np.nan, array + 0.0)
            digest.update(f"{number}\0".encode() + values.astype("<f8").tobytes())
    return digest.hexdigest()


def measured(
    targets: np.ndarray, bounds: np.ndarray | None, predictions: np.ndarray, with_bounds: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (n, T) and predictions (n, T) as metrics take them.

    Args:
        targets: Labels (n, T), NaN where missing.
        bounds: What each label is (n, T); `None` where all are exact.
        predictions: (n, T), or (n, T, C), which have no bounds.
        with_bounds: Whether bounds are measured too: a prediction that keeps one then equals it. Otherwise they are
            missing labels.

    Example:
        >>> measured(np.array([[4.0], [1.0]]), np.array([[1], [0]]), np.array([[5.0], [2.0]]), with_bounds=True)[1]
        array([[4.],
               [2.]])
    """
    if bounds is None:
        return targets, predictions
    if not with_bounds:
        return np.where(bounds == EXACT, targets, np.nan), predictions
    return targets, np.where((predictions - targets) * bounds > 0, targets, predictions)
