"""Keys of predictions of a file, and their default name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from zoo import data
from zoo.runs.checkpoint import Checkpoint, versions
from zoo.runs.ensemble_folder import SavedModels

BLOCK = 1 << 20
SAMPLED = 256  # blocks that are read of a very large file
ENDINGS = re.compile(
    r"(?<=.)(\.(csv|tsv|tab|txt|smi|smiles|ism|can|cxsmi|cxsmiles|sdf|sd|mol|mdl|xlsx|xlsm|parquet|pq))?"
    r"(\.(gz|bz2|xz))?$",
    re.IGNORECASE,
)


def prediction_key(saved: SavedModels, rows: data.RowStream, content: str) -> dict[str, Any]:
    """Return the inputs of the predictions as plain data; their places and times do not matter.

    Args:
        saved: The model, or the members of an ensemble.
        rows: How the input is read.
        content: Digest of the input.
    """
    return {
        "content": content,
        "columns": rows.columns,
        "smiles_column": rows.smiles_column,
        "chunk_size": rows.chunk_size,
        "separator": getattr(rows.source, "separator", None),
        "sheet": rows.sheet,
        "encoding": getattr(getattr(rows.source, "text", None), "encoding", None),
        "models": [model_key(model) for model in saved.checkpoints],
        "shares": list(saved.weights),
        **({"calibration": saved.calibration} if saved.calibration else {}),
        "molzoo": versions()["molzoo"],
    }


def model_key(saved: Checkpoint) -> dict[str, Any]:
    """Return what a checkpoint consists of, as plain data."""
    files = {path.name: digest(path) for path in sorted(saved.path.glob("model.*"))}
    return {"recipe": saved.recipe.to_json(), "fitted": saved.fitted.to_json(), "files": files}


def digest(path: Path, whole: int | None = None) -> str:
    """Return size and hash of a file's bytes.

    Args:
        path: The file.
        whole: Bytes above which only blocks from all over the file are read, so that a thousand jobs on a shared disk
            need not read 10 GB each; `None` reads everything.
    """
    size, found = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        if whole is None or size <= whole:
            while block := file.read(BLOCK):
                found.update(block)
        else:
            for place in np.linspace(0, size - BLOCK, SAMPLED).astype(int):
                file.seek(int(place))
                found.update(file.read(BLOCK))
    return f"{size}-{found.hexdigest()}"


def default_output(run: str | Path, source: str | Path, ending: str = ".csv") -> Path:
    """Return the default place of predictions: next to the source, under its name and that of the run.

    Example:
        >>> default_output("runs/b3db-gcn-seed0", "data/library.csv.gz").name
        'library.b3db-gcn-seed0.predicted.csv'
    """
    source = Path(source)
    return source.with_name(f"{stem_of(source)}.{run_name(Path(run))}.predicted{ending}")


def run_name(run: Path) -> str:
    """Return a name for a run that tells it from others: its folders below this one, or else its last two."""
    place, here = run.absolute().resolve(), Path.cwd().resolve()
    parts = list(place.relative_to(here).parts if place.is_relative_to(here) else place.parts[-2:])
    named = [part for part in parts if part != "checkpoints"]
    if len(named) > 1 and named[0] == "runs":
        named = named[1:]
    return re.sub(r"[^\w.+-]+", "_", "-".join(named or [place.name]))


def stem_of(source: Path) -> str:
    """Return the name without what says how the file is written: "a.train" of "a.train.csv.gz"."""
    return ENDINGS.sub("", source.name)
