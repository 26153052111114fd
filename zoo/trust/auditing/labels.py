"""Checks of labels: conflicts of duplicates, and distributions."""

from __future__ import annotations

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.splits.rules import group_by
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of
from zoo.trust.auditing.finding import BAD, CARE, GOOD, MOST_EXAMPLES, Example, Finding, describe_examined

SAME = 0.1
"""Labels of a molecule differ if they are further apart than this share of the task's standard deviation."""
FEW, RARE, REPEATED, FAR = 20, 0.05, 0.2, 8.0


def check_duplicates(dataset: MoleculeDataset) -> Finding:
    """Find molecules (by canonical SMILES) that occur more than once, and those whose labels contradict each other."""
    groups = [
        rows for rows in group_by(dataset.canonical_smiles) if len(rows) > 1 and dataset.canonical_smiles[rows[0]]
    ]
    conflicts: list[tuple[list[int], int]] = []
    for rows in groups:
        task = next((task for task in range(dataset.num_tasks) if contradict(dataset, rows, task)), None)
        if task is not None:
            conflicts.append((rows, task))
    examined = describe_examined(len(dataset), len(dataset))
    copies = sum(len(rows) - 1 for rows in groups)
    if not groups:
        return Finding("duplicates", GOOD, "Every molecule occurs once.", 0, examined)
    text = f"{len(groups):,} molecules occur more than once ({copies:,} copies)"
    if not conflicts:
        return Finding(
            "duplicates",
            CARE,
            f"{text}; their labels agree.",
            len(groups),
            examined,
            "a split by molecule or scaffold keeps copies together",
        )
    examples = [Example.of(dataset, rows[:4], task=task) for rows, task in conflicts[:MOST_EXAMPLES]]
    return Finding(
        "duplicates",
        BAD,
        f"{text}; the labels of {len(conflicts):,} of them contradict each other.",
        len(conflicts),
        examined,
        "keep one label of each: their mean or majority, or the better measurement",
        tuple(examples),
        {"repeated": len(groups), "copies": copies},
    )


def contradict(dataset: MoleculeDataset, rows: list[int], task: int) -> bool:
    """Return whether the labels of copies of a molecule contradict each other."""
    labels = dataset.targets[rows, task]
    labels = labels[~np.isnan(labels)]
    if len(labels) < 2:
        return False
    if labels_of(dataset.kind_by_task[task]) != NUMBERS:
        return bool(labels.min() != labels.max())
    deviation = float(np.nanstd(dataset.targets[:, task]))
    return bool(np.ptp(labels) > SAME * max(deviation, 1e-300))


def check_labels(dataset: MoleculeDataset, task: int) -> Finding:
    """Describe the labels of a task: too few, one class, rare classes, one value for many, values far from others."""
    name, labels = dataset.task_names[task], dataset.targets[:, task]
    known = np.flatnonzero(~np.isnan(labels))
    examined, values = describe_examined(len(known), len(known), "labels"), labels[known]
    title = f"labels of {name}"
    if len(values) < FEW:
        return Finding(
            title,
            BAD,
            f"There are {len(values)} labels: too few to learn from.",
            len(values),
            examined,
            "add labels, or leave the task out",
        )
    if labels_of(dataset.kind_by_task[task]) != NUMBERS:
        return check_classes(dataset, task, values, title, examined)
    low, high, middle = float(values.min()), float(values.max()), float(np.median(values))
    table = {"labels": len(values), "lowest": low, "median": middle, "highest": high, "deviation": float(values.std())}
    if low == high:
        return Finding(title, BAD, f"All labels are {low:g}.", len(values), examined, "leave the task out", (), table)
    common, counts = np.unique(values, return_counts=True)
    share = counts.max() / len(values)
    spread = np.median(np.abs(values - middle)) * 1.4826 or values.std()
    far = known[np.abs(values - middle) > FAR * spread]
    if len(far):
        order = far[np.argsort(-np.abs(labels[far] - middle))][:MOST_EXAMPLES]
        text = f"{len(far):,} labels lie more than {FAR:g} deviations from the median {middle:.4g}"
        return Finding(
            title,
            CARE,
            f"{text}.",
            len(far),
            examined,
            "look whether their unit, sign or decimal mark is right",
            tuple(Example.of(dataset, [row], task=task) for row in order),
            table,
        )
    if share > REPEATED and len(common) > 2:
        value = float(common[counts.argmax()])
        return Finding(
            title,
            CARE,
            f"{share:.0%} of the labels are {value:g}: a limit of the measurement?",
            int(counts.max()),
            examined,
            "write limits as bounds, such as >10, or learn a class",
            (),
            table,
        )
    return Finding(
        title,
        GOOD,
        f"{len(values):,} numbers from {low:.4g} to {high:.4g}, median {middle:.4g}.",
        0,
        examined,
        "",
        (),
        table,
    )


def check_classes(dataset: MoleculeDataset, task: int, values: np.ndarray, title: str, examined: str) -> Finding:
    """Describe the classes of a task."""
    classes, counts = np.unique(values, return_counts=True)
    words = dataset.label_names.get(dataset.task_names[task], ())
    names = [str(words[int(each)]) if each < len(words) else f"{each:g}" for each in classes]
    table = dict(zip(names, counts.tolist(), strict=True))
    shown = ", ".join(f"{name} {count:,}" for name, count in list(table.items())[:8])
    if len(classes) < 2:
        return Finding(
            title,
            BAD,
            f"All labels are of one class: {shown}.",
            len(values),
            examined,
            "add the other class, or leave the task out",
            (),
            table,
        )
    if counts.min() / len(values) < RARE:
        return Finding(
            title,
            CARE,
            f"A class is rare: {shown}.",
            int(counts.min()),
            examined,
            "judge by prc_auc or mcc, split with random_stratified, or weight the classes",
            (),
            table,
        )
    return Finding(title, GOOD, f"{shown}.", 0, examined, "", (), table)
