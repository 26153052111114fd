"""Tables of a card, as texts."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.experiments.card.checks import Certainty, Forest, Leaks
from zoo.experiments.card.source import CardSource
from zoo.tasks import format_value
from zoo.tasks.evaluation import format_interval

MOST_TASKS, MOST_ACROSS = 30, 3
CERTAINTY = {
    "coverage": "covered",
    "width": "width or classes",
    "ece": "calibration error",
    "brier": "Brier",
    "nll": "NLL",
    "spearman": "rank correlation with the error",
}


@dataclass(frozen=True)
class CardTable:
    """A table of texts.

    Args:
        header: Names of the columns.
        rows: Texts of the cells; the first column holds words, the others numbers.
    """

    header: list[str]
    rows: list[list[str]]


def tabulate_scores(source: CardSource, forest: Forest) -> CardTable:
    """Metrics in all and by task: value, interval, and what the forest gets."""
    scores, rows = source.scores, []
    if scores is None:
        return CardTable([], [])
    theirs = forest.scores if forest.scores is not None else {}
    single = len(scores.task_names) == 1
    for name in scores.results:
        low, high = scores.interval[name]
        other = format_value(theirs[name]) if name in theirs else "-"
        where = name if single else f"{name}, mean of {scores.results[name].tasks_in_mean} tasks"
        rows.append([where, format_value(scores[name]), format_interval(low, high), other])
    if not single:
        by_task = forest.scores.by_task if forest.scores is not None else {}
        for task, ends in list(scores.interval_by_task.items())[:MOST_TASKS]:
            name = source.metric
            other = format_value(by_task[task][name]) if task in by_task and name in by_task[task] else "-"
            value = format_value(scores.by_task[task][name])
            rows.append([f"{name}, {task}", value, format_interval(*ends[name]), other])
    header = ["metric", "this model", "95 %", "random forest"]
    return CardTable(header, rows) if forest.scores is not None else CardTable(header[:-1], [row[:-1] for row in rows])


def tabulate_parts(source: CardSource) -> CardTable:
    """Sizes, scaffolds and labels of the parts."""
    rows = []
    for name, part in source.report.parts.items():
        averages = part.positives if part.positives is not None else part.means
        first = next(iter(averages.values()), None) if averages else None
        counts = sum(part.labels.values())
        rows.append([name, f"{part.size:,}", f"{part.scaffolds:,}", f"{counts:,}", format_value(first)])
    first_task = source.dataset.task_names[0]
    word = "share of class 1" if next(iter(source.report.parts.values())).positives is not None else "mean"
    return CardTable(["part", "molecules", "scaffolds", "labels", f"{word} of {first_task}"], rows)


def tabulate_leaks(leaks: Leaks) -> CardTable:
    """Molecules and scaffolds that the parts share."""
    rows = [
        ["test molecules that are training molecules", f"{leaks.duplicates:,} of {leaks.test:,}"],
        ["test molecules with a training molecule of similarity 0.9 or more", f"{leaks.near:,} of {leaks.test:,}"],
        [
            "scaffolds of test molecules that training molecules have",
            f"{leaks.scaffolds:,} of {leaks.test_scaffolds:,}",
        ],
        ["validation molecules that are training molecules", f"{leaks.valid_duplicates:,}"],
    ]
    return CardTable(["leakage", "found"], rows)


def tabulate_certainty(certainty: list[Certainty]) -> CardTable:
    """Measures of calibrated predictions, by task."""
    names = [name for name in CERTAINTY if any(name in row.measures for row in certainty)]
    rows = [
        [row.task, "-" if row.asked is None else f"{row.asked:.0%}",
         *(format_value(row.measures.get(name)) for name in names), f"{row.labels:,}"]
        for row in certainty[:MOST_TASKS]
    ]  # fmt: skip
    header = ["task", "asked", *(CERTAINTY[name] for name in names), "labels"]
    if len(rows) > MOST_ACROSS:
        return CardTable(header, rows)
    turned = [list(column) for column in zip(header, *rows, strict=True)]
    return CardTable(["", *turned[0][1:]], turned[1:])
