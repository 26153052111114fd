"""Turn results of an earlier version (one SQLite file a sweep) into a folder that `molzoo report` reads.

usage: python benchmarks/results/sqlite_to_table.py NAME.sqlite [FOLDER]      (default: the folder NAME beside the file)
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from zoo.experiments.sweep.rows import FIELDS, ResultRow, write_table
from zoo.runs.json_files import write_json

NESTED = ("recipe", "metrics", "history", "sharpness", "split_report", "versions", "machine")


def convert(file: Path, folder: Path) -> int:
    """Write `runs.csv` and `sweep.json`; returns the number of runs."""
    with closing(sqlite3.connect(file.resolve().as_uri() + "?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows: dict[str, ResultRow] = {}
        for found in database.execute("SELECT * FROM results ORDER BY rowid"):
            values = {name: found[name] for name in found.keys() if name in FIELDS}  # noqa: SIM118
            values |= {name: json.loads(values[name]) for name in NESTED}
            if values["best_epoch"] is not None:  # epochs were counted from 0
                values["best_epoch"] += 1
            values["history"] = [{**epoch, "epoch": epoch["epoch"] + 1} for epoch in values["history"]]
            row = ResultRow(**values)
            if row.run not in rows or rows[row.run].state != "finished":
                rows[row.run] = row
        sweep = database.execute("SELECT * FROM sweeps ORDER BY rowid DESC LIMIT 1").fetchone()
    write_table(folder / "runs.csv", rows.values())
    noted = {name: sweep[name] for name in ("name", "command", "written", "specification")}
    write_json(folder / "sweep.json", {**noted, "plan": json.loads(sweep["plan"])})
    return len(rows)


def main() -> None:
    """Convert the file that the arguments name."""
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        raise SystemExit(2)
    file = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else file.with_suffix("")
    print(f"{convert(file, folder)} runs in {folder}")


if __name__ == "__main__":
    main()
