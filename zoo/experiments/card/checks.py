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
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.registry.kinds import labels_of
from zoo.tasks import Evaluation
from zoo.trust.calibration import CALIBRATED

NEAR = 0.9
MOST_LABELS, TREES, SEED = 20_000, 60, 0
KINDS = {NUMBERS: "regression", CLASSES: "multiclass", ZERO_ONE: "binary"}


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
        """Train and test it: 60 trees, on at most 20,000 training labels."""
        start = time.perf_counter()
        split, kind = source.split, KINDS.get(labels_of(source.dataset.task), source.dataset.task)
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
class Certainty:
    """Measures of the calibrated predictions of one task on the test molecules.

    Args:
        task: Its name.
        asked: Share of the truths that intervals or sets should hold; `None` where there are none.
        measures: Values by name, such as "coverage", "width" and "ece".
        labels: Number of test labels.
    """

    task: str
    asked: float | None
    measures: dict[str, float]
    labels: int


def read_certainty(source: CardSource) -> list[Certainty]:
    """Read what the run has measured of its calibrated predictions; empty for a run that is not calibrated."""
    found = (source.results.get("uncertainty") or {}).get(CALIBRATED) or {}
    counts = dict(zip(source.test.task_names, (~np.isnan(source.shown_test.targets)).sum(axis=0).tolist(), strict=True))
    return [
        Certainty(task, found.get("asked"), {name: value for name, value in measures.items() if value is not None},
                  counts[task])
        for task, measures in (found.get("per_task") or {}).items()
        if measures and task in counts
    ]  # fmt: skip


def without_forest(reason: str) -> Forest:
    """Return that no forest was trained."""
    return dataclasses.replace(Forest(None), note=reason)
