"""Facts about the runs of a report in words: machines, versions, times, warnings of splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from zoo.experiments.report import statistics


def count_values(column: pd.Series, tell: Callable[[Mapping[str, Any]], str]) -> list[tuple[int, str]]:
    """Count the runs with each value of a column, in words."""
    return [(int(count), str(text)) for text, count in column.map(tell).value_counts().items()]


def describe_machine(facts: Mapping[str, Any]) -> str:
    """Describe a machine in words."""
    if not facts:
        return "a machine that was not noted"
    words = [facts["processor"], f"{facts['cores']} cores", f"{facts['memory_gib']} GiB", facts["system"]]
    return ", ".join([*words, f"{facts['threads']} thread(s) for each run", f"device {facts['device']}"])


def describe_versions(facts: Mapping[str, Any]) -> str:
    """Describe versions in words."""
    return ", ".join(f"{package} {version}" for package, version in facts.items()) or "versions that were not noted"


def duration(seconds: float) -> str:
    """Format a time span for people."""
    return (
        f"{seconds:.0f} seconds"
        if seconds < 120
        else f"{seconds / 60:.0f} minutes"
        if seconds < 7200
        else f"{seconds / 3600:.1f} hours"
    )


def moment(written: str) -> str:
    """Format a stored time, to the minute."""
    return written[:16].replace("T", " ") + " UTC"


def warnings(rows: pd.DataFrame) -> list[str]:
    """Return the warnings of the splits, with the data set and the seeds."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for row in statistics.records(rows.drop_duplicates(["dataset", "seed"])):
        for text in row.split_report.get("warnings", ()):
            seeds.setdefault((row.dataset, text), []).append(row.seed)
    return [f"{dataset}, seed {', '.join(map(str, found))}: {text}" for (dataset, text), found in seeds.items()]
