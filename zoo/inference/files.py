"""Prediction of whole files: in chunks, in order, on all cores, and continued where it was cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from zoo import data
from zoo.inference.chunks import Parts
from zoo.inference.workers import Job, map_chunks
from zoo.learners import parts
from zoo.recipe.fitted import Fitted
from zoo.recipe.trust import require_trust
from zoo.runs import available_cores, checkpoint

REASON = "reason"


@dataclass(frozen=True)
class FileSummary:
    """What `predict_file` did.

    Args:
        rows: Of the input, and so of the output.
        failed: Rows without a prediction.
        continued: Rows that an earlier, cut-off call had predicted already.
    """

    rows: int
    failed: int
    continued: int


def predict_file(
    run: str | Path,
    source: str | Path,
    output: str | Path,
    *,
    smiles_column: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    chunk_size: int = 1000,
    num_workers: int | None = None,
    batch_size: int = 64,
    device: str = "auto",
    progress: bool | None = None,
    trust: bool = False,
) -> FileSummary:
    """Predict every row of a file: same rows, same order, predictions and a reason for those that failed added.

    Called again after it was cut off, it goes on with the chunks that are not done.

    Args:
        run: Folder of a run or a checkpoint.
        source: CSV, TSV, SMI (also .gz) or Parquet.
        output: CSV, TSV (also .gz) or Parquet.
        smiles_column: Column of the SMILES; `None` finds it.
        separator: Between the cells of a text file; `None` finds it.
        encoding: Of a text file; `None` finds it.
        chunk_size: Rows at a time; with `num_workers` they bound the memory.
        num_workers: Processes that predict, this one among them; `None` takes one for each core, 0 and any GPU only
            this one.
        batch_size: Molecules in a batch of the model.
        device: As in `zoo.build`.
        progress: Show the bar; `None` shows it in a terminal or notebook.
        trust: As in `zoo.load`.
    """
    rows = data.stream(source, smiles_column, chunk_size=chunk_size, separator=separator, encoding=encoding)
    saved = checkpoint.read(run)
    require_trust(saved.recipe, trust)
    data.RowWriter.check(output, rows.columns)
    if Path(output).resolve() == Path(source).resolve():
        raise data.DataError(f"{output} is the input: choose another name for the output")
    kept = Parts(Path(output), key_of(saved, source, rows))
    workers = available_cores() if num_workers is None else num_workers
    if parts.resolve_device(device).type != "cpu":
        workers = 0
    total = continued = failed = 0
    bar = tqdm(desc="predict", unit="mol", total=rows.estimate(), disable=None if progress is None else not progress)
    job = Job(str(run), device, batch_size, trust)

    def missing() -> Iterator[tuple[int, list[str]]]:
        nonlocal total, continued
        for number, chunk in enumerate(rows):
            total += len(chunk.smiles)
            if kept.path(number).exists():
                continued += len(chunk.smiles)
                bar.update(len(chunk.smiles))
            else:
                yield number, chunk.smiles

    with bar:
        for number, values, reasons in map_chunks(job, missing(), workers):
            kept.write(number, values, reasons)
            bar.update(len(reasons))
    columns = [*prediction_columns(saved.fitted), REASON]
    with data.RowWriter(output, rows.columns, columns) as writer:
        for number, chunk in enumerate(rows):
            values, reasons = kept.read(number)
            values = values.reshape(len(values), -1)
            failed += int(np.isnan(values).all(axis=1).sum())
            writer.write(chunk.rows, [*values.T, reasons])
    kept.remove()
    return FileSummary(total, failed, continued)


def prediction_columns(fitted: Fitted) -> list[str]:
    """Names of the added columns: those of the tasks, or of their classes."""
    return [f"predicted_{name}" for name in fitted.column_names]


def key_of(saved: checkpoint.Checkpoint, source: str | Path, rows: data.RowStream) -> dict[str, Any]:
    """What predictions of a file depend on."""
    stat = Path(source).stat()
    digest = hashlib.sha256()
    for file in sorted(saved.path.glob("model.*")):
        digest.update(file.read_bytes())
    return {
        "source": str(Path(source).resolve()),
        "size": stat.st_size,
        "changed": stat.st_mtime_ns,
        "columns": rows.columns,
        "column": rows.smiles_column,
        "chunk_size": rows.chunk_size,
        "weights": digest.hexdigest(),
    }
