"""`audit`: all checks of a data set, as text, page and plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset, Split, load
from zoo.data.errors import DataError, printable
from zoo.runs.json_files import plain, write_text
from zoo.trust.auditing import labels, structures, units
from zoo.trust.auditing.finding import BAD, CARE, GOOD, Finding
from zoo.views import audit_page

MOST_TASKS, SCAFFOLDS = 12, 20_000
ORDER = (BAD, CARE, GOOD)


@dataclass(frozen=True)
class Audit:
    """Findings about a data set, the gravest first; `str()` of it is the text to read.

    Args:
        name: Of the data set.
        molecules: Number that can be read.
        unreadable: Rows that cannot.
        tasks: Names of the tasks.
        findings: One for each check.
        histograms: Labels of each task (n,), for pictures.
    """

    name: str
    molecules: int
    unreadable: int
    tasks: tuple[str, ...]
    findings: tuple[Finding, ...]
    histograms: dict[str, np.ndarray]

    @property
    def troubled(self) -> list[Finding]:
        """Findings that ask for attention."""
        return [finding for finding in self.findings if finding.level != GOOD]

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.molecules:,} molecules, {self.unreadable:,} rows unreadable, {len(self.tasks)} task(s)"
        ]
        for finding in self.findings:
            lines.append(f"{finding.level.upper():<5} {finding.name}: {finding.text} [{finding.examined}]")
            if finding.remedy and finding.level != GOOD:
                lines.append(f"      {finding.remedy}")
        return printable("\n".join(lines))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        found = {name: value for name, value in vars(self).items() if name not in ("findings", "histograms")}
        values: dict[str, Any] = plain({**found, "findings": [asdict(finding) for finding in self.findings]})
        return values

    def to_html(self) -> str:
        """Return a page that needs no other file."""
        return audit_page.write_page(self)

    def _repr_html_(self) -> str:
        return audit_page.write_page(self, page=False)

    def save(self, output: str | Path) -> Path:
        """Write a page (`.html`) or plain values (`.json`).

        Raises:
            DataError: Another suffix.
        """
        output = Path(output).expanduser()
        if output.suffix.lower() not in (".html", ".json"):
            raise DataError(f"{output}: name a file .html or .json for the audit")
        text = self.to_html() if output.suffix.lower() == ".html" else json.dumps(self.to_dict(), indent=1)
        write_text(output, text)
        return output


def audit(data: Any, split: str | Split | None = None, *, seed: int = 0, **reading: Any) -> Audit:
    """Look for what would mislead a model, or those who read its metrics.

    Of large sets some checks look at a sample, always the same one, and say so: about two minutes for 100,000 rows.

    Args:
        data: A data set, or what `zoo.data.load` takes.
        split: Parts to compare; `None` takes the source's own, else "scaffold" (above 20,000 molecules "random").
        seed: Of the split.
        **reading: As in `zoo.data.load`.

    Raises:
        DataError: It cannot be read.

    Example:
        >>> found = audit((["CCO", "OCC", "c1ccccc1"], [0, 1, 0]))
        >>> found.findings[0].text
        'There are 3 labels: too few to learn from.'
    """
    dataset = data if isinstance(data, MoleculeDataset) else load(data, **reading)
    found = [finding for finding in checks(dataset, split, seed) if finding is not None]
    shown = list(zip(dataset.task_names, dataset.targets.T, strict=True))[:MOST_TASKS]
    return Audit(
        dataset.name,
        len(dataset),
        len(dataset.invalid),
        dataset.task_names,
        tuple(sorted(found, key=lambda finding: ORDER.index(finding.level))),
        {name: column[~np.isnan(column)] for name, column in shown},
    )


def checks(dataset: MoleculeDataset, split: str | Split | None, seed: int) -> Iterator[Finding | None]:
    """Give the findings, check by check."""
    if not len(dataset):
        raise DataError(f"{dataset.name}: no molecule can be read, so that there is nothing to audit")
    yield labels.check_duplicates(dataset)
    yield check_split(dataset, split, seed)
    for task in range(min(dataset.num_tasks, MOST_TASKS)):
        yield labels.check_labels(dataset, task)
        yield units.check_units(dataset, task)
        yield structures.check_cliffs(dataset, task)
    if dataset.num_tasks > MOST_TASKS:
        text = f"The first {MOST_TASKS} of {dataset.num_tasks} tasks were checked; name others with tasks="
        yield Finding("other tasks", CARE, f"{text}.", dataset.num_tasks - MOST_TASKS, "not examined")
    yield structures.check_composition(dataset)
    yield structures.check_alerts(dataset)


def check_split(dataset: MoleculeDataset, split: str | Split | None, seed: int) -> Finding:
    """Cut the data and compare the parts."""
    if isinstance(split, Split):
        return structures.check_parts(split)
    usual = "column" if dataset.splits is not None else "scaffold" if len(dataset) <= SCAFFOLDS else "random"
    try:
        return structures.check_parts(dataset.split(split or usual, seed=seed))
    except DataError as error:
        if split is not None:
            raise
        return Finding("near-duplicates across parts", CARE, f"It cannot be split by {usual!r}: {error}", 0, "nothing")
