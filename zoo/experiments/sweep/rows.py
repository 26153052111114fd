"""`ResultRow`: one run as a row of a table, read from its folder or from a CSV file of many."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.experiments.sweep.planned import PLACES
from zoo.recipe.options import DataOptions
from zoo.runs.folder import RunFolder
from zoo.runs.json_files import plain, write_text
from zoo.runs.state import FAILED, FINISHED


@dataclass(frozen=True)
class ResultRow:
    """Results of one run.

    Args:
        run: Key of the planned run.
        state: "finished" or "failed".
        model: Key in the specification.
        optimizer: Key in the specification; "none" for a model that trains itself.
        dataset: Key in the specification.
        seed: Seed of weights, batches and split.
        split: Name of the split.
        metric: The data set's own metric.
        test: Its value on the test part, at the epoch that was best on the validation part.
        valid: Best value on the validation part.
        best_epoch: From 1; `epochs` were trained.
        epochs: Epochs trained.
        parameters: Trainable numbers of the model.
        steps: Optimizer steps.
        passes: Forward-backward passes.
        seconds: Time of the training steps.
        wall_seconds: Time with loading, featurizing, validation and test.
        molecules_per_second: Training speed.
        hessian_eigenvalue: Largest eigenvalue of the Hessian of the training loss; None where it was not asked for.
        reason: Why a failed run failed, in one line.
        recipe: `zoo.Recipe` as nested dictionaries.
        metrics: All metrics of the test part.
        history: One mapping for each epoch.
        sharpness: What `zoo.sharpness.measure` found, with the settings that it had.
        split_report: What is in the parts.
        versions: Versions of the packages and of the source.
        machine: Processor, memory, accelerator, threads.
        written: Time (UTC, ISO 8601).
        per_task: Metrics of the test part by task.
    """

    run: str
    state: str
    model: str
    optimizer: str
    dataset: str
    seed: int
    split: str
    metric: str | None = None
    test: float | None = None
    valid: float | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    parameters: int | None = None
    steps: int | None = None
    passes: int | None = None
    seconds: float | None = None
    wall_seconds: float | None = None
    molecules_per_second: float | None = None
    hessian_eigenvalue: float | None = None
    reason: str | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    sharpness: dict[str, Any] = field(default_factory=dict)
    split_report: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    written: str = ""
    per_task: dict[str, Any] = field(default_factory=dict)


FIELDS = [item.name for item in dataclasses.fields(ResultRow)]
WORDS = frozenset(item.name for item in dataclasses.fields(ResultRow) if str(item.type).startswith("str"))
# Numbers that `metrics.json` has under the same name.
NUMBERS = ("valid", "best_epoch", "epochs", "parameters", "steps", "passes", "seconds", "molecules_per_second")


def row_of(folder: RunFolder) -> ResultRow | None:
    """Read the row of a run; `None` for one that has not ended."""
    state, facts, recipe = folder.state, folder.facts, folder.recipe
    if state.name not in (FINISHED, FAILED) or (recipe is None and "planned" not in facts):
        return None
    source = (recipe.data if recipe else None) or DataOptions()
    names: dict[str, Any] = {
        "run": hashlib.sha256(str(folder.path.absolute()).encode()).hexdigest()[:16],
        "model": recipe.model if recipe else "",
        "optimizer": recipe.optimizer if recipe else "",
        "dataset": Path(source.source).stem,
        "seed": recipe.seed if recipe else 0,
        "split": source.split,
    }
    names |= {name: value for name, value in (facts.get("planned") or {}).items() if name in names}
    found = folder.metrics
    eigenvalues = found.get("sharpness", {}).get("eigenvalues") or [None]
    found = {"valid": next((value for name, value in found.items() if name.startswith("valid_")), None), **found}
    metric = found.get("metric") or next(iter(found.get("test", {})), None)
    return ResultRow(
        **names,
        **{name: found.get(name) for name in NUMBERS},  # type: ignore[arg-type]
        state=state.name,
        reason=state.reason,
        metric=metric,
        test=found.get("test", {}).get(metric),
        wall_seconds=facts.get("wall_seconds"),
        hessian_eigenvalue=eigenvalues[0],
        recipe=without_places(recipe.to_dict()) if recipe else {},
        metrics=found.get("test", {}),
        per_task=found.get("test_per_task", {}),
        history=epochs(folder.read_history()),
        sharpness=found.get("sharpness", {}),
        split_report=found.get("split_report", {}),
        versions=facts.get("versions", {}),
        machine=facts.get("machine", {}),
        written=facts.get("written", ""),
    )


def epochs(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of `history.csv` as mappings, the validation metrics under `valid`."""
    rows = [plain(row) for row in table.to_dict("records")]
    return [
        {
            **{name: value for name, value in row.items() if not name.startswith("valid_")},
            "valid": {name.removeprefix("valid_"): value for name, value in row.items() if name.startswith("valid_")},
        }
        for row in rows
    ]


def without_places(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe without folders of this machine and without what cannot change the numbers."""
    nested = {part: {k: v for k, v in (recipe[part] or {}).items() if k not in PLACES} for part in ("data", "training")}
    return {**recipe, **nested}


def to_frame(rows: Iterable[ResultRow]) -> pd.DataFrame:
    """Return rows as a table, one line for each run (its finished row, else its latest)."""
    latest: dict[str, ResultRow] = {}
    for row in rows:
        if row.run not in latest or latest[row.run].state != FINISHED:
            latest[row.run] = row
    return pd.DataFrame([dataclasses.asdict(row) for row in latest.values()], columns=FIELDS)


def write_table(path: Path, rows: Iterable[ResultRow]) -> None:
    """Write rows as a CSV file: words as they are, all else as JSON."""
    lines = [",".join(FIELDS)]
    for row in rows:
        cells = []
        for name in FIELDS:
            value = getattr(row, name)
            text = "" if value is None else value if name in WORDS else json.dumps(plain(value), separators=(",", ":"))
            cells.append('"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\n') else text)
        lines.append(",".join(cells))
    write_text(path, "\n".join(lines) + "\n")


def read_table(path: Path) -> list[ResultRow]:
    """Read what `write_table` wrote.

    Raises:
        ValueError: The file is not a table of results.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if not {"run", "state", "recipe"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path} is not a table of results: give a folder or runs.csv of `molzoo benchmark`")
        return [
            ResultRow(**{name: parse_cell(name, text) for name, text in row.items() if name in FIELDS}) for row in rows
        ]


def parse_cell(name: str, text: str) -> Any:
    """Return the value of a cell."""
    if name in WORDS:
        return text or (None if name in ("metric", "reason") else "")
    return json.loads(text) if text else None
