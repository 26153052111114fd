"""Checks of a card: leakage between the parts, a forest next to the model, the coverage of calibrated predictions."""

from __future__ import annotations

import dataclasses
import time
import warnings
from dataclasses import dataclass

import numpy as np

from zoo.experiments.card.source import CardSource
from zoo.learners import build
from zoo.learners.labels import as_kind
from zoo.learners.uncertainty import Estimate
from zoo.registry.catalog.targets import CLASSES, NUMBERS
from zoo.registry.kinds import labels_of
from zoo.tasks import Evaluation
from zoo.trust.calibration import CALIBRATED, Calibration, as_classes
from zoo.trust.conformal import most_coverage

NEAR = 0.9
MOST_LABELS, TREES, SEED = 20_000, 100, 0
COVERAGE = 0.9
KINDS = {NUMBERS: "regression", CLASSES: "multiclass"}


@dataclass(frozen=True)
class Leaks:
    """Molecules and scaffolds that parts share.

    Args:
        duplicates: Test molecules that are training molecules, by canonical SMILES.
        valid_duplicates: Validation molecules that are training molecules.
        near: Test molecules with a similarity of at least 0.9 to a training molecule, duplicates included.
        scaffolds: Scaffolds of test molecules that training molecules have too.
        test: Number of test molecules.
        test_scaffolds: Number of scaffolds of test molecules.
    """

    duplicates: int
    valid_duplicates: int
    near: int
    scaffolds: int
    test: int
    test_scaffolds: int

    @classmethod
    def of(cls, source: CardSource) -> Leaks:
        """Compare the parts."""
        train, valid, test = source.split.train, source.split.valid, source.test
        known, scaffolds = set(train.canonical_smiles) - {""}, set(train.scaffolds) - {""}
        tested = set(test.scaffolds) - {""}
        return cls(
            sum(text in known for text in test.canonical_smiles),
            sum(text in known for text in valid.canonical_smiles),
            int((source.resemblance.similarity >= NEAR).sum()),
            len(tested & scaffolds),
            len(test),
            len(tested),
        )


@dataclass(frozen=True)
class Forest:
    """A random forest on ECFP4 fingerprints that was trained on the same molecules.

    Args:
        scores: Its metrics on the test molecules; `None` where it was not trained.
        seconds: Time that it took.
        note: Why it was not trained, or on what.
    """

    scores: Evaluation | None
    seconds: float = 0.0
    note: str = ""

    @classmethod
    def of(cls, source: CardSource) -> Forest:
        """Train and test it: 100 trees, on at most 20,000 training labels."""
        start = time.perf_counter()
        split, kind = source.split, KINDS.get(labels_of(source.dataset.task), "binary")
        tasks = source.dataset.num_tasks
        rows = np.arange(len(split.train))
        note = f"random forest, {TREES} trees on ECFP4, same training molecules"
        if len(rows) * tasks > MOST_LABELS:
            most = max(1, MOST_LABELS // tasks)
            if most < 500:
                return cls(None, note=f"no random forest: {tasks} tasks would take it longer than a card should")
            rows = np.sort(np.random.default_rng(SEED).permutation(len(rows))[:most])
            note += f", {most:,} of {len(split.train):,} drawn"
        train = as_kind(split.train.subset(rows), kind)
        test = as_kind(source.test, kind)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                forest = build("random_forest", dataset=train, model_args={"num_trees": TREES}, seed=SEED)
                forest.fit(train, split=None, progress=False)  # type: ignore[union-attr]
                scores = forest.score(test, forest.predict(test))
        except (ValueError, TypeError) as error:
            return cls(None, note=f"no random forest: {error}")
        return cls(scores, time.perf_counter() - start, note)


@dataclass(frozen=True)
class Covered:
    """Coverage of the calibrated intervals or sets of one task on the test molecules.

    Args:
        task: Its name.
        asked: Coverage that was asked for.
        measured: Share of the test labels inside.
        size: Mean width of the intervals, or mean number of classes in a set.
        labels: Number of test labels.
    """

    task: str
    asked: float
    measured: float
    size: float
    labels: int


def measure_coverage(source: CardSource) -> list[Covered]:
    """Measure how often calibrated intervals or sets hold the truth; empty for a run that is not calibrated."""
    calibration = Calibration.of(source.learner.fitted, CALIBRATED)
    if calibration is None or not len(source.test):
        return []
    found = calibration.correct(Estimate(source.predictions))
    targets, numbers = source.shown_test.targets, labels_of(source.test.task) == NUMBERS
    rows = []
    asked = min(COVERAGE, *(highest(calibration, task) for task in range(len(source.test.task_names))))
    for task, name in enumerate(source.test.task_names):
        labels = targets[:, task]
        if numbers:
            low, high = np.moveaxis(calibration.intervals(found, asked)[:, task], -1, 0)
            known = ~np.isnan(labels) & np.isfinite(low)
            inside, size = (low <= labels) & (labels <= high), high - low
        else:
            sets = calibration.sets(found.values, asked)[:, task]
            known = ~np.isnan(labels) & np.isfinite(as_classes(found.values)[:, task]).all(axis=1)
            inside = np.zeros(len(labels), dtype=bool)
            inside[known] = sets[known, labels[known].astype(np.int64)]
            size = sets.sum(axis=1)
        if known.any():
            rows.append(Covered(name, asked, float(inside[known].mean()), float(size[known].mean()), int(known.sum())))
    return rows


def highest(calibration: Calibration, task: int) -> float:
    """Largest coverage that the labels of a task allow."""
    lists = calibration._lists(task)
    return most_coverage(min(map(len, lists))) if all(lists) else 1.0


def describe_size(dataset_task: str) -> str:
    """Return what the size of intervals or sets is called."""
    return "mean width" if labels_of(dataset_task) == NUMBERS else "classes in a set"


def without_forest(reason: str) -> Forest:
    """Return that no forest was trained."""
    return dataclasses.replace(Forest(None), note=reason)
