"""`ResultsStore`: one row for each run, in an SQLite file that is only ever appended to.

SQLite because a row must be there whole or not at all whenever a worker dies, because workers append one row at a time
(a Parquet file is written whole), because the standard library reads it, and because anyone can ask it questions in
SQL. SQLite's own locks are not to be trusted on network file systems, so a lock file of the `filelock` library guards
every write.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from zoo.experiments.sweep.planned import PlannedRun
from zoo.experiments.sweep.specification import Sweep

FINISHED, FAILED = "finished", "failed"
STARTED, STOPPED, REOPENED = "started", "stopped", "reopened"


@dataclass(frozen=True)
class ResultRow:
    """What one run gave.

    Args:
        run: Key of the planned run.
        state: "finished" or "failed".
        model: Key in the specification; likewise `optimizer` and `dataset`.
        optimizer: "none" for a model that trains itself.
        dataset: Key in the specification.
        seed: Of weights, batches and split.
        split: Name of the split.
        metric: The data set's own metric.
        test: Its value on the test part, at the epoch that was best on the validation part.
        valid: Best value on the validation part.
        best_epoch: From 0; `epochs` were trained.
        epochs: Epochs trained.
        parameters: Trainable numbers of the model.
        steps: Optimizer steps, and `passes` forward-backward passes.
        passes: See `steps`.
        seconds: Of the training steps; `wall_seconds` with loading, featurizing, validation and test.
        wall_seconds: See `seconds`.
        molecules_per_second: Training speed.
        hessian_eigenvalue: Largest eigenvalue of the Hessian of the training loss; None where it was not asked for.
        reason: Why a failed run failed, in one line.
        recipe: `zoo.Recipe` as nested dictionaries.
        metrics: All metrics of the test part.
        history: One mapping for each epoch.
        sharpness: What `zoo.sharpness.measure` found, with the settings that it had.
        split_report: What is in the parts.
        versions: Of the packages and of the source.
        machine: Processor, memory, accelerator, threads.
        written: Time (UTC, ISO 8601).
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


FIELDS = [item.name for item in dataclasses.fields(ResultRow)]
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS results ({", ".join(FIELDS)});
CREATE TABLE IF NOT EXISTS events (run, event, written);
CREATE TABLE IF NOT EXISTS sweeps (name, specification, command, plan, written);
"""
APPEND_ONLY = "".join(
    f"CREATE TRIGGER IF NOT EXISTS no_{verb}_{table} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'results are only ever appended'); END;"
    for table in ("results", "events", "sweeps")
    for verb in ("UPDATE", "DELETE")
)


class ResultsStore:
    """Rows of runs in an SQLite file.

    Args:
        path: The file; it is made when something is first written.

    Example:
        >>> import tempfile, pathlib
        >>> store = ResultsStore(pathlib.Path(tempfile.mkdtemp()) / "results.sqlite")
        >>> store.append(ResultRow("a1", "failed", "grover", "adam", "b3db", 0, "scaffold", reason="out of memory"))
        >>> store.states(), store.rows()[0].reason
        ({'a1': 'failed'}, 'out of memory')
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.claims = self.path.with_name(f"{self.path.name}.claims")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that holds the lock of the store; what was written is there whole or not at all."""
        self.claims.mkdir(parents=True, exist_ok=True)
        with FileLock(self.claims / "store.lock"), closing(sqlite3.connect(self.path)) as database, database:
            database.executescript(SCHEMA + APPEND_ONLY)
            yield database

    def append(self, row: ResultRow) -> None:
        """Add the row of a run."""
        values = [plain(getattr(dataclasses.replace(row, written=now()), name)) for name in FIELDS]
        with self.writing() as database:
            database.execute(f"INSERT INTO results VALUES ({', '.join('?' * len(FIELDS))})", values)

    def note_event(self, run: str, event: str) -> None:
        """Note that a worker started a run, or was told to stop it."""
        with self.writing() as database:
            database.execute("INSERT INTO events VALUES (?, ?, ?)", (run, event, now()))

    def note_sweep(self, sweep: Sweep, runs: Sequence[PlannedRun], command: str) -> None:
        """Note what is to be run, unless it is the latest specification already."""
        plan = json.dumps([run.to_plan() for run in runs])
        with self.writing() as database:
            latest = database.execute("SELECT specification, plan FROM sweeps ORDER BY rowid DESC LIMIT 1").fetchone()
            if latest != (sweep.text, plan):
                entry = (sweep.name, sweep.text, command, plan, now())
                database.execute("INSERT INTO sweeps VALUES (?, ?, ?, ?, ?)", entry)

    def reopen_failed(self, runs: Iterable[str]) -> None:
        """Let these runs be done again if they failed."""
        states = self.states()
        for run in runs:
            if states.get(run) == FAILED:
                self.note_event(run, REOPENED)

    def states(self) -> dict[str, str]:
        """State (finished, failed) of every run that is not open; each failure can be reopened once."""
        rows = Counter(self.select("SELECT run, state FROM results"))
        reopened = Counter(self.select("SELECT run FROM events WHERE event = ?", (REOPENED,)))
        states = {run: FAILED for (run, state), n in rows.items() if state == FAILED and n > reopened[(run,)]}
        return states | {run: FINISHED for run, state in rows if state == FINISHED}

    def deaths(self, run: str) -> int:
        """How often a worker started this run and neither ended it nor was told to stop."""
        counts = dict(self.select("SELECT event, COUNT(*) FROM events WHERE run = ? GROUP BY event", (run,)))
        ended = len(self.select("SELECT state FROM results WHERE run = ?", (run,)))
        return counts.get(STARTED, 0) - counts.get(STOPPED, 0) - ended

    def rows(self) -> list[ResultRow]:
        """All rows, oldest first."""
        chosen = self.select(f"SELECT {', '.join(FIELDS)} FROM results ORDER BY rowid")
        return [ResultRow(*(parsed(name, value) for name, value in zip(FIELDS, row, strict=True))) for row in chosen]

    def latest_sweep(self) -> dict[str, Any]:
        """Name, specification, command, plan and time of the latest sweep.

        Raises:
            ValueError: The file holds none.
        """
        found = self.select(
            "SELECT name, specification, command, plan, written FROM sweeps ORDER BY rowid DESC LIMIT 1"
        )
        if not found:
            raise ValueError(f"{self.path} holds no sweep: give a file that `molzoo benchmark` wrote")
        sweep = dict(zip(("name", "specification", "command", "plan", "written"), found[0], strict=True))
        return {**sweep, "plan": json.loads(sweep["plan"])}

    def to_frame(self) -> pd.DataFrame:
        """The rows as a table, one line for each run (its finished row, else its latest)."""
        latest: dict[str, ResultRow] = {}
        for row in self.rows():
            if row.run not in latest or latest[row.run].state != FINISHED:
                latest[row.run] = row
        return pd.DataFrame([dataclasses.asdict(row) for row in latest.values()], columns=FIELDS)

    def select(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query; none where nothing was written yet."""
        if not self.path.exists():
            return []
        try:
            with closing(sqlite3.connect(self.path.resolve().as_uri() + "?mode=ro", uri=True)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{self.path} is no results file of `molzoo benchmark`: {error}") from error


def now() -> str:
    """Time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def plain(value: Any) -> Any:
    """What SQLite keeps: numbers and text as they are, everything nested as JSON."""
    return json.dumps(value, default=str) if isinstance(value, (dict, list)) else value


def parsed(name: str, value: Any) -> Any:
    """The opposite of `plain`."""
    return json.loads(value) if name in NESTED else value


NESTED = frozenset(("recipe", "metrics", "history", "sharpness", "split_report", "versions", "machine"))
