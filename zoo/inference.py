"""Prediction of whole files: in chunks, in order, on all cores, and continued where it was cut off."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import rdBase
from tqdm.auto import tqdm

from featurizers import InvalidMolecule
from zoo import checkpoint, data, factory, parts
from zoo.predictor import Predictor
from zoo.recipe import Recipe

REASON = "reason"
_learner: Predictor | None = None  # of a worker process


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


class Parts:
    """Predictions of the chunks that are done, as files in a folder beside the output.

    Args:
        output: The file to be written.
        key: What the predictions depend on; parts of another key are thrown away.
    """

    def __init__(self, output: Path, key: dict[str, Any]) -> None:
        self.folder = output.with_name(f".{output.name}.parts")
        text = json.dumps(key, sort_keys=True)
        note = self.folder / "key.json"
        if self.folder.exists() and (not note.exists() or note.read_text(encoding="utf-8") != text):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="utf-8")

    def path(self, number: int) -> Path:
        """File of one chunk."""
        return self.folder / f"{number:06d}.npz"

    def write(self, number: int, values: np.ndarray, reasons: list[str]) -> None:
        """Keep a chunk; the file is whole or not there."""
        unfinished = self.folder / f"{number:06d}.unfinished"
        with unfinished.open("wb") as file:
            np.savez(file, values=values, reasons=np.array(reasons, dtype=np.str_))
        os.replace(unfinished, self.path(number))

    def read(self, number: int) -> tuple[np.ndarray, list[str]]:
        """Predictions (n, T) and reasons (n) of a chunk."""
        with np.load(self.path(number), allow_pickle=False) as arrays:
            return arrays["values"], arrays["reasons"].tolist()

    def remove(self) -> None:
        """Throw everything away."""
        shutil.rmtree(self.folder)


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
    """
    rows = data.stream(source, smiles_column, chunk_size=chunk_size, separator=separator, encoding=encoding)
    saved = checkpoint.read(run)
    data.RowWriter.check(output, rows.columns)
    if Path(output).resolve() == Path(source).resolve():
        raise data.DataError(f"{output} is the input: choose another name for the output")
    kept = Parts(Path(output), key_of(saved, source, rows))
    workers = len(os.sched_getaffinity(0)) if num_workers is None else num_workers
    if parts.resolve_device(device).type != "cpu":
        workers = 0
    total = continued = failed = 0
    bar = tqdm(desc="predict", unit="mol", total=rows.estimate(), disable=None if progress is None else not progress)
    job = Job(str(run), device, batch_size)

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
    columns = [*prediction_columns(saved.recipe), REASON]
    with data.RowWriter(output, rows.columns, columns) as writer:
        for number, chunk in enumerate(rows):
            values, reasons = kept.read(number)
            failed += int(np.isnan(values).all(axis=1).sum())
            writer.write(chunk.rows, [*values.T, reasons])
    kept.remove()
    return FileSummary(total, failed, continued)


def prediction_columns(recipe: Recipe) -> list[str]:
    """Names of the added columns: those of the tasks."""
    names = recipe.task_names or tuple(f"task_{i}" for i in range(recipe.num_tasks))
    return [f"predicted_{name}" for name in names]


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


@dataclass(frozen=True)
class Job:
    """What a worker needs to predict."""

    run: str
    device: str
    batch_size: int

    def load(self) -> Predictor:
        """The learner."""
        return factory.load(self.run, device=self.device)


def map_chunks(
    job: Job, chunks: Iterable[tuple[int, list[str]]], workers: int
) -> Iterator[tuple[int, np.ndarray, list[str]]]:
    """Predict chunks in any order; this process is one of the workers.

    The others are started only if there is more than one chunk. They load the learner while this process works
    already; at most two chunks for each are under way, which bounds the memory.
    """
    learner, chunks, waiting = job.load(), iter(chunks), deque[tuple[int, list[str]]]()
    if workers <= 1:
        for number, smiles in chunks:
            yield number, *predict_rows(learner, smiles, job.batch_size)
        return
    helpers, running = workers - 1, dict[Future, int]()
    with ProcessPoolExecutor(helpers, get_context("spawn"), start_worker, (job,)) as pool, one_thread():
        while True:
            waiting.extend(islice(chunks, 2 * helpers + 1 - len(running) - len(waiting)))
            while len(waiting) > 1 and len(running) < 2 * helpers:
                number, smiles = waiting.pop()
                running[pool.submit(predict_chunk, smiles, job.batch_size)] = number
            busy = bool(waiting)
            if busy:
                number, smiles = waiting.popleft()
                yield number, *predict_rows(learner, smiles, job.batch_size)
            elif not running:
                return
            done, _ = wait(running, timeout=0 if busy else None, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), *future.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for each process, since the processes share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def start_worker(job: Job) -> None:
    """Load the learner once."""
    global _learner
    torch.set_num_threads(1)
    _learner = job.load()


def predict_chunk(smiles: list[str], batch_size: int) -> tuple[np.ndarray, list[str]]:
    """Predict a chunk with this worker's learner."""
    assert _learner is not None
    return predict_rows(_learner, smiles, batch_size)


def predict_rows(learner: Predictor, smiles: list[str], batch_size: int) -> tuple[np.ndarray, list[str]]:
    """Predictions (n, T) and, for the rows that cannot be read, why."""
    values = learner.predict(smiles, batch_size=batch_size)
    reasons = [""] * len(smiles)
    for row in np.flatnonzero(np.isnan(values).any(axis=1)):
        try:
            data.read_molecule(smiles[row])
            with rdBase.BlockLogs():
                learner.featurizer.parse(smiles[row])
            reasons[row] = "the model gave no number"
        except InvalidMolecule as error:
            reasons[row] = error.reason
    return values, reasons
