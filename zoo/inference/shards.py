"""Prediction of a large file to many: a Parquet file for each shard, by as many processes as take part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import data
from zoo.inference.claims import can_lock, claim
from zoo.inference.errors import InferenceError
from zoo.inference.job import Piece
from zoo.inference.request import Request
from zoo.inference.shard_folder import ShardFolder, Stamp
from zoo.inference.tally import FileSummary, Tally
from zoo.inference.workers import map_pieces
from zoo.inference.writing import PieceWriter

if TYPE_CHECKING:
    import pandas as pd
    from tqdm.auto import tqdm

WHOLE = 1 << 30  # bytes of input up to which all of them are compared


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
        InferenceError: Numbers out of their range; a folder with something else in it, or without locks and `shard`; an
            input that changes meanwhile; and as for `predict_file`.
    """
    return write_shards(Request.of(run, source, options), source, folder, shards, shard)


def write_shards(
    request: Request, source: str | Path, folder: str | Path, shards: int, shard: int | None
) -> FileSummary:
    """Write the shards of what was asked for; arguments as in `predict_shards`."""
    output = ShardFolder(Path(folder).expanduser(), shards, request.rows.count())
    if not 1 <= shards <= output.rows:
        raise InferenceError(f"shards={shards} for {output.rows} rows: give a number from 1 to {output.rows}")
    if shard is not None and not 0 <= shard < shards:
        raise InferenceError(f"shard={shard} of {shards}: give a number from 0 to {shards - 1}")
    output.make(request.rows.columns)
    locks = can_lock(output.folder)
    if shard is None and not locks:
        raise InferenceError(
            f"{output.folder} is on a file system without locks, where processes cannot share shards: give each its "
            "own with --shard, or choose another place"
        )
    stamp = Stamp.of(Path(source).expanduser())
    output.agree(request.key(stamp.path, WHOLE), locks)
    asked = range(shards) if shard is None else [shard]
    tally = Tally(request.rows.feature_columns)
    with request.bar(sum(map(output.size, asked))) as bar:
        shift = Shift(request, output, stamp, tally, bar, locks)
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
        stamp: Of the input.
        tally: Counts the rows.
        bar: Shows them.
        locks: Whether shards can be claimed; else no other process may have the same ones.
    """

    request: Request
    output: ShardFolder
    stamp: Stamp
    tally: Tally
    bar: tqdm
    locks: bool = True
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
                claimed = claim(path, what, wait) if self.locks and not path.exists() else nullcontext(True)
                if not stack.enter_context(claimed):
                    taken.append(shard)
                    continue
                if path.exists():
                    self.tally.skip(self.output.size(shard))
                    self.bar.update(self.output.size(shard))
                    continue
                if self.locks:
                    data.RowWriter.remove_leftovers(path)
                self.claims[shard] = stack.pop_all()
            for chunk in self.request.rows.between(*self.output.bounds(shard)):
                yield Piece(chunk.start, chunk.molecules, (shard, chunk.rows))

    def _write(self, shard: int, predicted: Iterator[tuple[Piece, pd.DataFrame]]) -> None:
        """Write the pieces of a shard up to its last row."""
        stop = self.output.bounds(shard)[1]
        place, request = self.output.path(shard), self.request
        with PieceWriter(place, request.rows, request.job, self.tally, self.bar) as writer:
            for piece, table in predicted:
                number, cells = piece.of
                if number != shard:
                    break
                writer.write(piece, cells, table)
                if piece.start + len(cells) == stop:
                    self.stamp.check()
                    return
            raise self.stamp.error()
