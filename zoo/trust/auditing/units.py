"""A check of labels: two units in one column."""

from __future__ import annotations

import re

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.splits.rules import group_by
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of
from zoo.trust.auditing.finding import BAD, GOOD, MOST_EXAMPLES, Example, Finding, describe_examined, draw_rows

FEW, MOST_FITTED, DECADES = 20, 5000, (2.4, 3.6)
UNITS = re.compile(r"(^|[^a-z])units?([^a-z]|$)", re.IGNORECASE)


def check_units(dataset: MoleculeDataset, task: int) -> Finding | None:
    """Look for two units in a column of numbers; `None` for other labels, or too few.

    Evidence is, in this order: a column of the source that names units; copies of a molecule whose labels differ by a
    factor of 1000; logarithms of the labels that are two groups about three decades apart.
    """
    if labels_of(dataset.kind_by_task[task]) != NUMBERS:
        return None
    name, labels = dataset.task_names[task], dataset.targets[:, task]
    positive = np.flatnonzero(np.nan_to_num(labels, nan=-1.0) > 0)
    if len(positive) < FEW:
        return None
    title, examined = f"units of {name}", describe_examined(len(positive), len(positive), "labels above 0")
    named = units_named(dataset)
    remedy = "convert the labels to one unit, best as negative logarithms (pIC50, pKi), before training"
    if len(named) > 1:
        shown = ", ".join(f"{unit} {count:,}" for unit, count in list(named.items())[:6])
        return Finding(
            title,
            BAD,
            f"A column of the source names several units: {shown}.",
            len(dataset),
            examined,
            remedy,
            (),
            dict(named),
        )
    pairs = copies_by_thousand(dataset, labels)
    if pairs:
        examples = tuple(Example.of(dataset, rows, task=task) for rows in pairs[:MOST_EXAMPLES])
        return Finding(
            title,
            BAD,
            f"{len(pairs):,} molecules have labels that differ by a factor of 1000.",
            len(pairs),
            examined,
            remedy,
            examples,
        )
    groups = two_groups(np.log10(labels[positive]))
    if groups is None:
        return Finding(title, GOOD, "The sizes of the labels look like those of one unit.", 0, examined)
    lower, upper, share = groups
    border = 10 ** ((lower + upper) / 2)
    smaller = positive[labels[positive] < border]
    chosen = smaller if share <= 0.5 else positive[labels[positive] >= border]
    text = f"Labels are of two sizes, around {10**lower:.3g} and around {10**upper:.3g}, about a factor of 1000 apart"
    examples = tuple(Example.of(dataset, [row], task=task) for row in chosen[:MOST_EXAMPLES])
    return Finding(
        title, BAD, f"{text}: a mixture of units, such as nM and uM?", len(chosen), examined, remedy, examples
    )


def units_named(dataset: MoleculeDataset) -> dict[str, int]:
    """Count the units in a column of the source that is called so."""
    if dataset.extras is None:
        return {}
    for column in dataset.extras.columns:
        if UNITS.search(str(column)):
            counts = dataset.extras[column].dropna().astype(str).str.strip().value_counts()
            return {str(unit): int(count) for unit, count in counts.items() if unit}
    return {}


def copies_by_thousand(dataset: MoleculeDataset, labels: np.ndarray) -> list[list[int]]:
    """Find copies of molecules whose labels differ by a factor of 1000, give or take a fifth."""
    found = []
    for rows in group_by(dataset.canonical_smiles):
        known = [int(row) for row in rows if labels[row] > 0]
        if len(known) > 1:
            low, high = min(known, key=labels.__getitem__), max(known, key=labels.__getitem__)
            if 2.9 < np.log10(labels[high] / labels[low]) < 3.1:
                found.append([low, high])
    return found


def two_groups(logarithms: np.ndarray) -> tuple[float, float, float] | None:
    """Find two groups of logarithms about three decades apart by a mixture of two normal distributions.

    Returns:
        Means of the lower and the upper group, and the share of the lower one; `None` where one group explains them as
        well (by the Bayesian information criterion).
    """
    from sklearn.mixture import GaussianMixture

    values = logarithms[draw_rows(len(logarithms), MOST_FITTED)][:, None]
    if np.ptp(values) < DECADES[0]:
        return None
    one = GaussianMixture(1, random_state=0).fit(values)
    two = GaussianMixture(2, covariance_type="tied", random_state=0, n_init=3).fit(values)
    lower, upper = np.sort(two.means_[:, 0])
    share = float(two.weights_[two.means_[:, 0].argmin()])
    spread = float(np.sqrt(two.covariances_[0, 0]))
    apart = DECADES[0] <= upper - lower <= DECADES[1] and upper - lower > 2 * spread
    clear = one.bic(values) - two.bic(values) > 20 and min(share, 1 - share) > 0.02
    return (float(lower), float(upper), share) if apart and clear else None
