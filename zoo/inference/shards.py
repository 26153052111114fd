"""Prediction of a large file to many: a Parquet file for each shard, by as many processes as take part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import data
from zoo.inference.claims import claim
from zoo.inference.errors import InferenceError
from zoo.inference.job import Piece
from zoo.inference.request import Request
from zoo.inference.tally import FileSummary, Tally
from zoo.inference.workers import map_pieces
from zoo.runs.json_files import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd
    from tqdm.auto import tqdm

KEY = "request.json"
WHOLE = 1 << 30  # bytes of input up to which all of them are compared


@dataclass(frozen=True)
class ShardFolder:
    """Shards of the rows of a file: consecutive, of equal size but for one row.

    Args:
        folder: Where they lie.
        number: How many there are.
        rows: Rows of them all.
    """

    folder: Path
    number: int
    rows: int

    def path(self, shard: int) -> Path:
        """File of a shard."""
        return self.folder / f"shard-{shard:05d}-of-{self.number:05d}.parquet"

    def bounds(self, shard: int) -> tuple[int, int]:
        """First row of a shard, and the row behind its last one."""
        return shard * self.rows // self.number, (shard + 1) * self.rows // self.number

    def size(self, shard: int) -> int:
        """Rows of a shard."""
        start, stop = self.bounds(shard)
        return stop - start

    def agree(self, key: dict[str, Any]) -> None:
        """Make the folder, or make sure that it is for the same request.

        Raises:
            InferenceError: It holds something else.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        key = json.loads(json.dumps({**key, "shards": self.number, "rows": self.rows}))
        note = self.folder / KEY
        with claim(note, f"the folder {self.folder}"):
            found = read_json(note)
            if found is None and any(self.folder.glob("[!.]*")):
                raise InferenceError(f"{self.folder} is not empty: choose another folder for the shards")
            if found is None:
                write_json(note, key)
            elif found != key:
                names = ", ".join(sorted(name for name in {*found, *key} if found.get(name) != key.get(name)))
                raise InferenceError(
                    f"{self.folder} holds the shards of another request (other {names}): choose another folder, or "
                    "delete this one"
                )


def predict_shards(
    run: str | Path, source: str | Path, folder: str | Path, *, shards: int, shard: int | None = None, **options: Any
) -> FileSummary:
    """Predict a file to `shards` Parquet files, each of which is complete or not there.

    Any number of processes, on one machine or on several that share the folder, may be started with the same arguments
    at any time: each takes the shards that are neither done nor taken, and those of a process that has died. Memory
    depends on `chunk_size` and `num_workers`, not on the size of a shard.

    Args:
        run: Folder of a run or a checkpoint.
        source: Parquet, of which only the shard's row groups are read; text files are read from their start.
        folder: Gets `shard-00000-of-01000.parquet`, ...: the columns of the source, `predicted_TASK` and `reason`. One
            after another they have the rows of the source in its order.
        shards: How many files, at least 1 and at most as many as there are rows.
        shard: Only this one, from 0 to `shards` - 1, such as the index in a job array; `None` takes what is to be done.
        **options: Fields of `FileOptions`.

    Raises:
        InferenceError: Numbers out of their range, or a folder with something else in it; and as for `predict_file`.
    """
    request = Request.of(run, source, options)
    output = ShardFolder(Path(folder).expanduser(), shards, request.rows.count())
    if not 1 <= shards <= output.rows:
        raise InferenceError(f"shards={shards} for {output.rows} rows: give a number from 1 to {output.rows}")
    if shard is not None and not 0 <= shard < shards:
        raise InferenceError(f"shard={shard} of {shards}: give a number from 0 to {shards - 1}")
    data.RowWriter.check(output.folder.parent / output.path(0).name, request.rows.columns)
    output.agree(request.key(Path(source).expanduser(), WHOLE))
    asked = range(shards) if shard is None else [shard]
    tally = Tally(request.rows.feature_columns)
    with request.bar(sum(map(output.size, asked))) as bar:
        shift = Shift(request, output, tally, bar)
        taken = shift.work(asked, wait=shard is not None)
        for number in taken:  # waits for each: its process may die, or have died
            shift.work([number], wait=True)
    return tally.summary()


@dataclass
class Shift:
    """Work of this process on shards.

    Args:
        request: What is predicted.
        output: The shards.
        tally: Counts the rows.
        bar: Shows them.
    """

    request: Request
    output: ShardFolder
    tally: Tally
    bar: tqdm
    claims: dict[int, ExitStack] = field(default_factory=dict)

    def work(self, shards: Sequence[int], wait: bool) -> list[int]:
        """Predict the shards that are not done; return those that other processes have.

        Args:
            shards: Their numbers.
            wait: Wait for those that other processes have; for one shard only, as two processes that hold a shard each
                would wait for each other.
        """
        taken: list[int] = []
        request, pieces = self.request, self._pieces(shards, wait, taken)
        try:
            with closing(map_pieces(request.job, pieces, request.workers, request.options.patience)) as predicted:
                for first in predicted:
                    shard = first[0].of[0]
                    self._write(shard, chain([first], predicted))
                    self.claims.pop(shard).close()
        finally:
            for claim in self.claims.values():
                claim.close()
            self.claims.clear()
        return taken

    def _pieces(self, shards: Sequence[int], wait: bool, taken: list[int]) -> Iterator[Piece]:
        for shard in shards:
            path = self.output.path(shard)
            with ExitStack() as stack:
                what = f"shard {shard} of {self.output.folder}"
                if not path.exists() and not stack.enter_context(claim(path, what, wait)):
                    taken.append(shard)
                    continue
                if path.exists():
                    self.tally.skip(self.output.size(shard))
                    self.bar.update(self.output.size(shard))
                    continue
                data.RowWriter.remove_leftovers(path)
                self.claims[shard] = stack.pop_all()
            for chunk in self.request.rows.between(*self.output.bounds(shard)):
                yield Piece(chunk.start, chunk.molecules, (shard, chunk.rows))

    def _write(self, shard: int, predicted: Iterator[tuple[Piece, pd.DataFrame]]) -> None:
        """Write the pieces of a shard up to its last row."""
        rows, stop = self.request.rows, self.output.bounds(shard)[1]
        writer: data.RowWriter | None = None
        with ExitStack() as stack:
            for piece, table in predicted:
                number, cells = piece.of
                if number != shard:
                    break
                if writer is None:
                    names = list(table.columns)
                    writer = data.RowWriter(self.output.path(shard), rows.columns, names, types=rows.types())
                    stack.enter_context(writer)
                writer.write(cells, [table[name].to_numpy() for name in table.columns])
                self.tally.add(table, piece.molecules)
                self.bar.update(len(table))
                if piece.start + len(table) == stop:
                    return
            raise InferenceError(f"{rows.label} has changed while it was predicted: start with an empty folder")
