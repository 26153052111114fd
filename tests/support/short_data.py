"""Data sets of a hundred molecules under the names of the large ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zoo.data.reading.sets import EMBEDDED, ENTRIES, KnownSet


def write_short_sets(folder: Path) -> None:
    """Write a short file for each data set that is known by name: molecules of B3DB, invented labels."""
    b3db = pd.read_csv(EMBEDDED / "b3db.csv.gz").iloc[::60]
    b3db.to_csv(folder / "b3db.csv.gz", index=False)
    for entry in ENTRIES:
        if not entry.embedded:
            invent_labels(entry, b3db).to_csv(folder / entry.file, index=False)


def invent_labels(entry: KnownSet, molecules: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the columns of a data set."""
    generator = np.random.default_rng(0)
    columns = {entry.smiles_column: molecules.filter(like="smiles").iloc[:, 0]}
    for name in entry.tasks or ("first", "second"):
        numbers = generator.normal(size=len(molecules)).round(3)
        columns[name] = numbers if entry.task == "regression" else (numbers > 0).astype(int)
    return pd.DataFrame(columns)
