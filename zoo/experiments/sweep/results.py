"""`ResultsFolder`: the runs of a sweep, each in a folder of its own, and what was to be run.

```
NAME/sweep.json      specification, plan and command
NAME/runs/...        one run folder for each run, as `molzoo train` writes it (TensorBoard shows them together)
NAME/runs.csv        results without their folders, such as those that are kept in a repository
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.experiments.sweep.planned import PlannedRun
from zoo.experiments.sweep.rows import ResultRow, read_table, row_of, to_frame, write_table
from zoo.experiments.sweep.specification import Sweep
from zoo.runs.folder import RunFolder
from zoo.runs.json_files import read_json, write_json
from zoo.runs.names import safe_name
from zoo.runs.state import FAILED, FINISHED, OPEN, now


class ResultsFolder:
    r"""The results of a sweep.

    Args:
        path: The folder; it is made when something is first written.

    Example:
        >>> import tempfile
        >>> sweep = Sweep.parse("models: [random_forest]\ndatasets: [b3db]")
        >>> ResultsFolder(tempfile.mkdtemp()).folder(sweep.runs()[0]).state.name
        'open'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def table(self) -> Path:
        """The file of results without folders."""
        return self.path / "runs.csv"

    @property
    def exists(self) -> bool:
        """Whether a sweep has written here."""
        return (self.path / "sweep.json").exists() or self.table.exists()

    def folder(self, run: PlannedRun) -> RunFolder:
        """Find the folder of a run: its name may say anything, but ends with the run's key."""
        found = sorted((self.path / "runs").glob(f"*-{run.key}"))
        return RunFolder(found[0] if found else self.path / "runs" / f"{safe_name(run.label)}-{run.key}")

    def folders(self) -> list[RunFolder]:
        """All run folders, by name."""
        return [RunFolder(path) for path in sorted((self.path / "runs").glob("*")) if path.is_dir()]

    def note_sweep(self, sweep: Sweep, runs: Sequence[PlannedRun], command: str) -> None:
        """Write the specification, unless it is the latest one already."""
        noted = read_json(self.path / "sweep.json") or {}
        plan = [run.to_plan() for run in runs]
        if (noted.get("specification"), noted.get("plan")) != (sweep.text, plan):
            values = {"name": sweep.name, "command": command, "written": now(), "plan": plan}
            write_json(self.path / "sweep.json", {**values, "specification": sweep.text})

    def latest_sweep(self) -> dict[str, Any]:
        """Name, specification, command, plan and time of the latest sweep.

        Raises:
            ValueError: The folder holds none.
        """
        noted = read_json(self.path / "sweep.json")
        if noted is None:
            raise ValueError(f"{self.path} holds no sweep: give a folder that `molzoo benchmark` wrote")
        return noted

    def done(self, run: PlannedRun) -> str | None:
        """State of a run that has ended ("finished" or "failed"); `None` for others."""
        folder = self.folder(run)
        if not folder.is_run:
            return self.states_in_table().get(run.key)
        state = folder.state.name
        return state if state in (FINISHED, FAILED) else None

    def states(self) -> dict[str, str]:
        """State ("finished" or "failed") of every run that has ended, by key."""
        ended = {row.run: row.state for row in self.rows()}
        return {key: state for key, state in ended.items() if state in (FINISHED, FAILED)}

    def states_in_table(self) -> dict[str, str]:
        """States of the results without folders."""
        return {row.run: row.state for row in read_table(self.table)} if self.table.exists() else {}

    def reopen_failed(self, runs: Iterable[PlannedRun]) -> None:
        """Let these runs be done again if they failed; one that another process works on stays as it is."""
        for run in runs:
            folder = self.folder(run)
            if self.done(run) == FAILED and folder.claim():
                folder.set_state(OPEN, deaths=0)
                folder.release()

    def rows(self) -> list[ResultRow]:
        """All rows: first those without folders, then those of the folders."""
        kept = read_table(self.table) if self.table.exists() else []
        return kept + [row for folder in self.folders() if (row := row_of(folder)) is not None]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a table, one line for each run."""
        return to_frame(self.rows())

    def keep(self) -> Path:
        """Write all rows into `runs.csv`, so that the results can go without their folders."""
        latest = {row.run: row for row in self.rows()}
        write_table(self.table, latest.values())
        return self.table
