"""Prediction of one file to one file: in chunks, in order, on all cores, and continued where it was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from zoo import data
from zoo.inference.chunks import Parts
from zoo.inference.claims import claim
from zoo.inference.errors import InferenceError
from zoo.inference.job import REASON, Piece
from zoo.inference.request import Request
from zoo.inference.tally import FileSummary, Tally
from zoo.inference.workers import map_pieces


def predict_file(run: str | Path, source: str | Path, output: str | Path, **options: Any) -> FileSummary:
    """Predict every row of a file: same rows, same order, predictions and a reason for those that failed added.

    Called again after it was cut off, it goes on with the chunks that are not done. While another process writes the
    same output, it waits, and says so.

    Args:
        run: Folder of a run or a checkpoint.
        source: CSV, TSV, SMI (also .gz) or Parquet.
        output: CSV, TSV (also .gz) or Parquet; its columns are those of the input, `predicted_TASK` and `reason`.
        **options: Fields of `FileOptions`.

    Raises:
        DataError: The input cannot be read, or the output not be written.
        CheckpointError: There is no model, or a damaged one.
        InferenceError: A worker process ended, hangs or failed; what is done is kept.
    """
    request = Request.of(run, source, options)
    source, output = Path(source).expanduser(), Path(output).expanduser()
    data.RowWriter.check(output, request.rows.columns)
    if output.resolve() == source.resolve():
        raise data.DataError(f"{output} is the input: choose another name for the output")
    tally = Tally(request.rows.feature_columns)
    with claim(output, f"the output {output}"):
        data.RowWriter.remove_leftovers(output)
        kept = Parts(output, request.key(source))
        with request.bar(request.rows.estimate()) as bar:
            predict_missing(request, kept, tally, bar)
        assemble(request, kept, tally, output)
        kept.remove()
    return tally.summary()


def predict_missing(request: Request, kept: Parts, tally: Tally, bar: tqdm) -> None:
    """Predict the chunks that are not there yet."""

    def missing() -> Iterator[Piece]:
        for number, chunk in enumerate(request.rows):
            if kept.path(number).exists():
                tally.continued += len(chunk.smiles)
                bar.update(len(chunk.smiles))
            else:
                yield Piece(chunk.start, chunk.molecules, number)

    with closing(map_pieces(request.job, missing(), request.workers, request.options.patience)) as predicted:
        for piece, table in predicted:
            kept.write(piece.of, table)
            bar.update(len(table))


def assemble(request: Request, kept: Parts, tally: Tally, output: Path) -> None:
    """Write the rows of the input with their predictions.

    Raises:
        InferenceError: The input has changed meanwhile.
    """
    rows = request.rows
    names = [*kept.read(0).columns]
    guard = request.options.guard_formulas
    with data.RowWriter(output, rows.columns, names, types=rows.types(), guard_formulas=guard) as writer:
        for number, chunk in enumerate(rows):
            table = kept.read(number) if kept.path(number).exists() else None
            if table is None or len(table) != len(chunk.smiles):
                raise InferenceError(f"{rows.label} has changed while it was predicted: repeat the call")
            tally.add(table[REASON], chunk.molecules)
            writer.write(chunk.rows, [table[name].to_numpy() for name in names])
