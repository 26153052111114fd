"""`DataReport`: the content of a source, as plain values and as the text to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from zoo.data.errors import printable, quote
from zoo.data.rows import InvalidRow

MOST = 10


@dataclass(frozen=True)
class TaskSummary:
    """Labels of one task.

    Args:
        labels: How many there are, without bounds.
        missing: Molecules without one.
        positives: How many are of class 1 (classification), else `None`.
        mean: Of the labels, in their unit (regression), else `None`; likewise `std`, `low`, `high`.
        std: Population standard deviation.
        low: Smallest.
        high: Largest.
        classes: Labels of each class (several classes), else `None`.
        bounds: Labels that are bounds, such as `>4.5`.
    """

    labels: int
    missing: int
    positives: int | None = None
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    classes: tuple[int, ...] | None = None
    bounds: int = 0


@dataclass(frozen=True)
class DataReport:
    """Findings of `check`; `str()` of it is the text to read, `to_dict()` the same as plain values.

    Args:
        name: Of the dataset.
        rows: Of the source.
        molecules: That can be used.
        columns: Use of each column: `SMILES`, `task`, `feature`, `split`, `not used`.
        task: Kind of target, or `"unlabelled"`.
        metric: Of the tasks.
        tasks: Labels of each task.
        invalid: Rows that cannot be used.
        counted: How places are counted: `line` of a text file (from 1, with the header) or `row` (from 0).
        duplicates: Molecules (by canonical SMILES) that occur more than once.
        conflicts: Those among them whose labels differ, with the places of each, counted as `counted` says.
        scaffolds: Distinct Bemis-Murcko scaffolds.
        largest_scaffold: Molecules that share the commonest one.
        mixtures: Molecules of more than one fragment.
        single_atoms: Molecules of one heavy atom.
        largest: Heavy atoms of the largest molecule.
        splits: Sizes of train, valid, test by rule; a text where the rule does not work.
        notes: How the source was read.
        problems: What will trouble training, each with the remedy.
    """

    name: str
    rows: int
    molecules: int
    columns: dict[str, str]
    task: str
    metric: str
    tasks: dict[str, TaskSummary]
    invalid: list[InvalidRow]
    counted: str
    duplicates: int
    conflicts: dict[str, list[int]]
    scaffolds: int
    largest_scaffold: int
    mixtures: int
    single_atoms: int
    largest: int
    splits: dict[str, list[int] | str]
    notes: list[str]
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return report_text(self)


def report_text(report: DataReport) -> str:
    """Write a page about a source: columns, tasks, molecules, splits, problems."""
    lines = [
        f"{report.name}: {report.rows} rows, {report.molecules} usable molecules, "
        f"{len(report.tasks)} {report.task} task(s)"
    ]
    lines += _section("columns", _columns(report))
    lines += _section("tasks", _tasks(report))
    lines += _section("molecules", _molecules(report))
    lines += _section(f"rows that cannot be used ({_counting(report)})", _invalid(report))
    lines += _section(f"same molecule, different labels ({_counting(report)})", _conflicts(report))
    lines += _section("splits", [f"{name:<12} {_sizes(sizes)}" for name, sizes in report.splits.items()])
    lines += _section("how it was read", report.notes)
    lines += _section("problems", report.problems or ["none found"])
    return printable("\n".join(lines))


def _counting(report: DataReport) -> str:
    return "lines of the file, the header among them" if report.counted == "line" else "rows counted from 0"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _shorten(lines: list[str], total: int) -> list[str]:
    return lines[:MOST] + ([f"... and {total - MOST} more"] if total > MOST else [])


def _columns(report: DataReport) -> list[str]:
    by_use: dict[str, list[str]] = {}
    for name, use in report.columns.items():
        by_use.setdefault(use, []).append(name)
    return [f"{use:<12} {quote(names)}" for use, names in by_use.items()]


def _tasks(report: DataReport) -> list[str]:
    lines = [f"{name:<24} {_labels(task)}" for name, task in report.tasks.items()]
    return _shorten(lines, len(lines))


def _labels(task: TaskSummary) -> str:
    bounds = f", {task.bounds} bounds" * bool(task.bounds)
    if not task.labels:
        return f"no labels{bounds}"
    text = f"{task.labels} labels{bounds}, {task.missing} missing"
    if task.positives is not None:
        return f"{text}, {task.positives} positive ({task.positives / task.labels:.1%})"
    if task.classes is not None:
        return f"{text}, {len(task.classes)} classes of {', '.join(map(str, task.classes[:MOST]))}"
    return f"{text}, mean {task.mean:.4g}, std {task.std:.4g}, from {task.low:.4g} to {task.high:.4g}"


def _molecules(report: DataReport) -> list[str]:
    return [
        f"{report.scaffolds} Murcko scaffolds, the commonest in {report.largest_scaffold} molecules",
        f"{report.duplicates} occur more than once, {len(report.conflicts)} of them with different labels",
        f"{report.mixtures} salts or mixtures, {report.single_atoms} single atoms; the largest has {report.largest} "
        "heavy atoms",
    ]


def _invalid(report: DataReport) -> list[str]:
    lines = [f"{entry.where}: {entry.smiles[:60]!r}: {entry.reason}" for entry in report.invalid[:MOST]]
    return _shorten(lines, len(report.invalid))


def _conflicts(report: DataReport) -> list[str]:
    lines = [
        f"{report.counted}s {', '.join(map(str, places))}: {smiles[:80]}" for smiles, places in report.conflicts.items()
    ]
    return _shorten(lines, len(lines))


def _sizes(sizes: list[int] | str) -> str:
    return "impossible, see below" if isinstance(sizes, str) else " / ".join(map(str, sizes))
