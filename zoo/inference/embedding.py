"""Vectors of the molecules of a file, or of their atoms, as a table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from zoo import data
from zoo.data.streaming import RowChunk
from zoo.inference.errors import InferenceError
from zoo.learners import Learner, load
from zoo.recipe.inputs import Inputs
from zoo.recipe.options import ReadOptions

LEVELS = ("molecule", "atom")


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
    batch_size: int = 64,
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
        chunk_size: Rows at a time, which bounds the memory.
        batch_size: Molecules in a batch of the model.
        device: As in `zoo.build`.
        progress: Show the bar; `None` shows it in a terminal or notebook.
        trust: As in `zoo.load`.

    Raises:
        InferenceError: Another level, or nothing can be embedded.
        DataError: The input cannot be read, or the output not be written.
        TypeError: The model has no embedding.
    """
    if level not in LEVELS:
        raise InferenceError(f"level={level!r}: choose one of {', '.join(LEVELS)}")
    learner = load(str(run), device=device, trust=trust)
    if not isinstance(learner, Learner):
        raise TypeError(f"model {learner.recipe.model!r} has no embedding: choose the run of a graph model")
    if level == "atom" and of is not None:
        raise InferenceError("vectors of atoms have no source: leave it out, or take level='molecule'")
    if Path(output).resolve() == Path(source).resolve():
        raise data.DataError(f"{output} is the input: choose another name for the output")
    molecules = learner.fitted.smiles_columns
    stream = data.stream(source, chunk_size=chunk_size, options=options, inputs=Inputs(molecules=molecules))
    probe = [("C",) * len(molecules) if molecules else "C"]
    width = learner.embed(probe, source=of).shape[1] if level == "molecule" else learner.embed_atoms(["C"])[0].shape[1]
    names = [*(["atom"] if level == "atom" else []), *(f"e{number}" for number in range(width))]
    rows = failed = 0
    hidden = None if progress is None else not progress
    with (
        data.RowWriter(Path(output), stream.columns, names, types=stream.types()) as writer,
        tqdm(total=stream.estimate(), desc="embed", unit="mol", disable=hidden) as bar,
    ):
        for chunk in stream:
            if level == "molecule":
                vectors = learner.embed(chunk.molecules, batch_size=batch_size, source=of)
                writer.write(chunk.rows, list(vectors.T))
                failed += int(np.isnan(vectors[:, 0]).sum())
            else:
                table, added, unread = rows_of_atoms(learner, chunk, batch_size)
                writer.write(table, added)
                failed += unread
            rows += len(chunk.smiles)
            bar.update(len(chunk.smiles))
        if failed == rows:
            raise InferenceError(f"{source}: none of {rows:,} rows holds a molecule that can be read")
    return EmbeddedFile(rows, failed, width)


def rows_of_atoms(learner: Learner, chunk: RowChunk, batch_size: int) -> tuple[pd.DataFrame, list[np.ndarray], int]:
    """Return the rows of a chunk, each once for each atom, the columns to add, and the number of rows without atoms."""
    found = learner.embed_atoms(chunk.smiles, batch_size=batch_size)
    counts = np.array([len(states) for states in found])
    table = chunk.rows.iloc[np.repeat(np.arange(len(found)), counts)]
    numbers = np.concatenate([np.arange(count) for count in counts])
    return table, [numbers, *np.concatenate(found).T], int((counts == 0).sum())
