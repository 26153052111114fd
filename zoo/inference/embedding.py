"""Vectors of the molecules of a file, or of their atoms, as a table."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data
from zoo.inference.errors import InferenceError
from zoo.inference.job import Piece
from zoo.inference.request import Request
from zoo.inference.shards import write_shards
from zoo.inference.tally import FileSummary, Tally
from zoo.inference.workers import map_pieces
from zoo.inference.writing import PieceWriter
from zoo.recipe.options import ReadOptions


@dataclass(frozen=True)
class EmbeddedFile:
    """Summary of a file of vectors.

    Args:
        rows: Rows of the input.
        failed: Rows without a vector.
        width: D.
    """

    rows: int
    failed: int
    width: int


def embed_file(
    run: str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    level: str = "molecule",
    of: str | None = None,
    options: ReadOptions | None = None,
    chunk_size: int = 1000,
    num_workers: int | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    progress: bool | None = None,
    trust: bool = False,
) -> EmbeddedFile:
    """Write the vectors of the molecules of a file: its rows in its order, with columns e0, e1, ... added.

    Args:
        run: Folder of a run or a checkpoint.
        source: Any file that `zoo.data.stream` reads.
        output: CSV, TSV or Parquet; it appears when it is complete.
        level: "molecule" for one row for each molecule; "atom" for one for each atom, with its number in `atom`.
        of: What GROVER's vectors are made of, as `source` of `Learner.embed`.
        options: How the file is read.
        chunk_size: Rows at a time, which with `num_workers` bounds the memory.
        num_workers: As in `FileOptions`.
        batch_size: Molecules in a batch of the model; `None` takes what is fastest for it.
        device: As in `zoo.build`.
        progress: Show the bar; `None` shows it in a terminal or notebook.
        trust: As in `zoo.load`.

    Raises:
        InferenceError: Another level, or nothing can be embedded; a worker process ended, hangs or failed.
        DataError: The input cannot be read, or the output not be written.
        TypeError: The model has no embedding.
    """
    how = {"chunk_size": chunk_size, "num_workers": num_workers, "batch_size": batch_size, "device": device}
    request = request_of(run, source, level, of, options, {**how, "progress": progress, "trust": trust})
    output, rows, job = Path(output).expanduser(), request.rows, request.job
    data.RowWriter.check(output, rows.columns)
    if output.resolve() == Path(source).expanduser().resolve():
        raise data.DataError(f"{output} is the input: choose another name for the output")
    tally, pieces = Tally(), (Piece(chunk.start, chunk.molecules, chunk.rows) for chunk in rows)
    with (
        request.bar(rows.estimate()) as bar,
        closing(map_pieces(job, pieces, request.workers)) as embedded,
        PieceWriter(output, rows, job, tally, bar) as writer,
    ):
        for piece, table in embedded:
            writer.write(piece, piece.of, table)
        found = tally.summary()
        if found.all_failed:
            raise InferenceError(f"{source}: none of {found.rows:,} rows holds a molecule that can be read")
    return EmbeddedFile(found.rows, found.failed, sum(name != "atom" for name in writer.names))


def embed_shards(
    run: str | os.PathLike[str],
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    shards: int,
    shard: int | None = None,
    level: str = "molecule",
    of: str | None = None,
    options: ReadOptions | None = None,
    **how: Any,
) -> FileSummary:
    """Embed a file to `shards` Parquet files, by as many processes as take part: see `predict_shards`.

    Args:
        run: Folder of a run or a checkpoint.
        source: As in `predict_shards`.
        folder: As in `predict_shards`.
        shards: As in `predict_shards`.
        shard: As in `predict_shards`.
        level: As in `embed_file`.
        of: As in `embed_file`.
        options: How the file is read.
        **how: `chunk_size`, `num_workers`, `batch_size`, `device`, `progress` and `trust`, as in `embed_file`.
    """
    return write_shards(request_of(run, source, level, of, options, how), Path(source), Path(folder), shards, shard)


def request_of(
    run: Any, source: Any, level: str, of: str | None, options: ReadOptions | None, how: dict[str, Any]
) -> Request:
    """Open model and file, and make sure that such vectors exist; arguments as in `embed_file`."""
    given = options or ReadOptions()
    reading = {name: getattr(given, name) for name in ("smiles_column", "separator", "encoding", "sheet")}
    request = Request.of(Path(run), source, {**reading, **how}, {"level": level, "of": of})
    request.job.load()
    return request
