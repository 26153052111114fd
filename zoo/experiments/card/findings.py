"""Findings of a card: what speaks for a model and what against it, in sentences, and its known limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.experiments.card.checks import Certainty, Forest, Leaks
from zoo.experiments.card.source import CardSource
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import higher_is_better, labels_of
from zoo.tasks import format_value
from zoo.tasks.evaluation import format_interval

GOOD, CARE, BAD = "good", "care", "bad"
FEW_TEST = 100


@dataclass(frozen=True)
class Finding:
    """A sentence about a model.

    Args:
        level: "good", "care" or "bad".
        text: The sentence.
    """

    level: str
    text: str


def find(source: CardSource, leaks: Leaks, forest: Forest, certainty: list[Certainty]) -> list[Finding]:
    """Return the findings, in the order in which a reader needs them."""
    if source.scores is None:
        return [Finding(BAD, "There is no test part: nothing tells how the model does on new molecules.")]
    found = [compare(source, forest), *about_leaks(source, leaks), about_domain(source), *about_certainty(certainty)]
    found += about_training(source)
    return [finding for finding in found if finding is not None]


def compare(source: CardSource, forest: Forest) -> Finding | None:
    """Compare the model with the forest."""
    if source.scores is None or forest.scores is None or source.metric not in forest.scores:
        return None
    name = source.metric
    mine, theirs, (low, high) = source.scores[name], forest.scores[name], source.scores.interval[name]
    if np.isnan(mine) or np.isnan(theirs):
        return None
    better = mine > theirs if higher_is_better(name) else mine < theirs
    numbers = f"{name} {format_value(mine)} against {format_value(theirs)}"
    if not np.isnan(low) and low <= theirs <= high:
        return Finding(CARE, f"A random forest does as well within the uncertainty of the test: {numbers}.")
    if better:
        return Finding(GOOD, f"It beats a random forest on the same data: {numbers}.")
    return Finding(BAD, f"A random forest on the same data is better: {numbers}.")


def about_leaks(source: CardSource, leaks: Leaks) -> list[Finding]:
    """Judge what the parts share."""
    found = []
    if leaks.duplicates:
        share = f"{leaks.duplicates:,} of {leaks.test:,} test molecules are training molecules too"
        found.append(Finding(BAD, f"Leakage: {share}; the metrics are too good by what it remembers of them."))
    elif leaks.near > 0.2 * leaks.test:
        found.append(Finding(CARE, f"{leaks.near:,} of {leaks.test:,} test molecules have a near-duplicate among the "
                                   "training molecules: the metrics say little about new chemistry."))  # fmt: skip
    else:
        found.append(Finding(GOOD, "No test molecule is a training molecule."))
    if leaks.valid_duplicates:
        found.append(Finding(CARE, f"{leaks.valid_duplicates:,} validation molecules are training molecules too: the "
                                   "best epoch was chosen by what it remembers of them."))  # fmt: skip
    if leaks.test < FEW_TEST:
        found.append(Finding(CARE, f"There are only {leaks.test:,} test molecules: the metrics are uncertain."))
    return found


def about_domain(source: CardSource) -> Finding:
    """Judge how much of the test part resembles the training part, and whether that matters."""
    inside = source.resemblance.in_domain
    errors = np.nanmean(source.errors, axis=1) if source.errors.size else np.empty(0)
    text = f"{1 - inside.mean():.0%} of the test molecules lie outside the domain"
    near, far = errors[inside & np.isfinite(errors)], errors[~inside & np.isfinite(errors)]
    if len(near) and len(far) >= 5:
        ratio = far.mean() / max(near.mean(), 1e-12)
        text += f"; their mean error is {ratio:.2g} times that of the others"
        return Finding(CARE if ratio > 1.2 else GOOD, f"{text}.")
    return Finding(GOOD, f"{text}.")


def about_certainty(certainty: list[Certainty]) -> list[Finding]:
    """Judge whether calibrated intervals or sets hold the truth as often as they should."""
    covered = [row for row in certainty if row.asked is not None and "coverage" in row.measures]
    if not certainty:
        return [Finding(CARE, "It is not calibrated: `molzoo calibrate` compares how sure it is with how right it is.")]
    if not covered:
        return []
    worst = min(covered, key=lambda row: row.measures["coverage"])
    asked, measured = worst.asked or 0.0, worst.measures["coverage"]
    text = f"Intervals or sets that should hold {asked:.0%} of the truths hold {measured:.0%} ({worst.task})"
    if measured < asked - 2 * np.sqrt(asked * (1 - asked) / worst.labels):
        return [Finding(CARE, f"{text}: test molecules differ from the validation molecules.")]
    return [Finding(GOOD, f"{text}.")]


def about_training(source: CardSource) -> list[Finding]:
    """Judge the training."""
    found, results = [], source.results
    if results.get("diverged"):
        found.append(Finding(BAD, f"The training diverged: {results['diverged']}."))
    best, epochs = results.get("best_epoch"), results.get("epochs")
    if best and epochs and epochs > 1 and best == epochs:
        found.append(Finding(CARE, f"Its best epoch is the last of {epochs}: it may gain from a longer training."))
    missing = sum((results.get("unpredicted") or {}).values())
    if missing:
        found.append(Finding(CARE, f"{missing:,} test labels have no prediction, and the metrics leave them out."))
    return found


def limits(source: CardSource, forest: Forest) -> list[str]:
    """Return the known limits of a model."""
    dataset, split = source.dataset, source.split
    found = [
        f"It was measured on {len(source.test):,} molecules like those of {dataset.name}, split by {split.name!r}: "
        "nothing is known about molecules outside the domain.",
    ]
    if split.name.startswith("random") or split.name == "kfold":
        found.append("The split is random, so that test molecules have close relatives in the training part; metrics "
                     "on new series of molecules are lower. `--split scaffold` measures them.")  # fmt: skip
    if dataset.invalid:
        found.append(f"{len(dataset.invalid):,} rows of the source could not be read, and are in no part.")
    for name, kind, column in zip(dataset.task_names, dataset.kind_by_task, split.train.targets.T, strict=True):
        if labels_of(kind) != NUMBERS:
            known = column[~np.isnan(column)]
            rare = min(np.bincount(known.astype(np.int64), minlength=2)) if len(known) else 0
            if rare < 50:
                found.append(f"{name}: the rarest class has {rare} training molecules.")
    found.append("It is one training from one seed, and others would differ; `--seeds 0 1 2` shows how much.")
    if forest.note:
        found.append(f"Baseline: {forest.note}.")
    return found[:12]


def headline(source: CardSource, forest: Forest) -> str:
    """Return the result in a line."""
    if source.scores is None:
        return "no test part, so that nothing was measured"
    name = source.metric
    low, high = source.scores.interval[name]
    text = f"{name} {format_value(source.scores[name])}"
    if not np.isnan(low):
        text += f" (95 %: {format_interval(low, high)})"
    if forest.scores is not None and name in forest.scores:
        text += f", random forest {format_value(forest.scores[name])}"
    return f"{text}, {1 - source.resemblance.in_domain.mean():.0%} of the test molecules outside the domain"
