"""The manifest of an exported learner: what its numbers mean, and which features it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import zoo
from molzoo_runner.archive import CARDS
from molzoo_runner.manifest import Manifest, Member, Task, checksum
from zoo.learners import Learner
from zoo.learners.decisions import thresholds_of
from zoo.learners.ensemble import Ensemble
from zoo.learners.predictor import Predictor
from zoo.learners.uncertainty import Estimate
from zoo.recipe.fitted import Fitted
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS
from zoo.runs.folder import RunFolder
from zoo.trust.calibration import CALIBRATED, Calibration
from zoo.trust.conformal import ABSOLUTE, NORMALIZED

PACKAGES = ("torch", "onnx", "onnxscript", "rdkit", "numpy")


def describe_member(learner: Learner, file: str, content: bytes, inputs: Sequence[str], weight: float) -> Member:
    """Describe one network.

    Args:
        learner: What it was traced from.
        file: Name of its graph.
        content: The graph, without a manifest.
        inputs: What the graph reads.
        weight: Share in the mean.
    """
    featurizer = learner.featurizer
    return Member(
        file=file,
        sha256=checksum(content),
        size=len(content),
        weight=weight,
        model=learner.recipe.model,
        featurizer=type(featurizer).__name__,
        featurizer_options=featurizer.options,
        fingerprint=featurizer.fingerprint,
        inputs=tuple(inputs),
    )


def describe_model(
    learner: Predictor, members: Sequence[Member], outputs: tuple[str, ...], cards: dict[str, str]
) -> Manifest:
    """Describe what is exported.

    Args:
        learner: A learner or an ensemble.
        members: Its networks.
        outputs: What each graph gives.
        cards: Cards of the run by name, as text.
    """
    fitted = learner.fitted
    classes = kinds.labels_of(fitted.task) == CLASSES
    return Manifest(
        members=tuple(members),
        tasks=tuple(describe_tasks(fitted)),
        outputs=outputs,
        by_class=classes,
        columns=fitted.column_names,
        calibration=calibration_of(fitted),
        cards={name: checksum(card.encode()) for name, card in cards.items()},
        versions={"molzoo": zoo.__version__, **{name: found for name in PACKAGES if (found := installed(name))}},
    )


def describe_tasks(fitted: Fitted) -> list[Task]:
    """Describe each target: its labels, the words of its classes, its threshold."""
    thresholds = thresholds_of(fitted) or [0.5] * len(fitted.output_names)
    found = []
    for name, kind, threshold in zip(fitted.output_names, fitted.kind_by_task, thresholds, strict=True):
        labels = kinds.labels_of(kind)
        width = int(fitted.task_args["num_classes"]) if labels == CLASSES else 1
        words = () if labels == NUMBERS else tuple(str(word) for word in fitted.label_names.get(name, ()))
        found.append(Task(name, labels, width, float(threshold), words))
    return found


def calibration_of(fitted: Fitted) -> dict[str, Any]:
    """Return the calibration of plain values as the runner reads it; empty where there is none."""
    found = Calibration.of(fitted, CALIBRATED)
    if found is None or fitted.task_kinds:
        return {}
    if found.conformal == NORMALIZED:
        found = in_units(found)
    return {name: getattr(found, name) for name in ("probabilities", "states", "conformal", "scores")}


def in_units(calibration: Calibration) -> Calibration:
    """Return a calibration whose scores are errors in the units of the targets; plain values have one deviation."""
    tasks = len(calibration.scores)
    same = calibration.correct(Estimate(np.zeros((1, tasks)), np.ones((1, tasks)))).spread
    widths = np.ones(tasks) if same is None else same[0]
    pairs = zip(calibration.scores, widths, strict=True)
    scores = tuple([float(score * width) for score in own] for own, width in pairs)
    return replace(calibration, conformal=ABSOLUTE, scores=scores)


def cards_of(learner: Predictor) -> dict[str, str]:
    """Cards of the run that a learner was read from by name, as text."""
    place = learner.members[0].place if isinstance(learner, Ensemble) else learner.place
    if place is None:
        return {}
    folder = RunFolder.of(place)
    files = {name: folder.card(f".{name.partition('.')[2]}") for name in CARDS}
    return {name: file.read_text(encoding="utf-8") for name, file in files.items() if file.is_file()}


def installed(package: str) -> str:
    """Return the version of a package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
