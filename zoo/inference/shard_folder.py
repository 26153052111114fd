"""The folder of the shards of a file, and how it is told that the file has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data
from zoo.inference.claims import claim, unwritable
from zoo.inference.errors import InferenceError
from zoo.runs.json_files import read_json, write_json

KEY = "_request.json"  # readers of folders of Parquet leave out what begins so


@dataclass(frozen=True)
class Stamp:
    """Size and time of a file, which tell in an instant that it has changed.

    Args:
        path: The file.
        size: Its bytes.
        modified: When it was written (ns).
    """

    path: Path
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Look at a file."""
        found = path.stat()
        return cls(path, found.st_size, found.st_mtime_ns)

    def check(self) -> None:
        """Raise an `InferenceError` if the file has changed, or is gone."""
        try:
            same = Stamp.of(self.path) == self
        except OSError:
            same = False
        if not same:
            raise self.error()

    def error(self) -> InferenceError:
        """Return the error for a file that has changed."""
        return InferenceError(
            f"{self.path} has changed while it was predicted: repeat the call if its content is the same, or start "
            "with an empty folder"
        )


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

    def make(self, columns: Sequence[str]) -> None:
        """Make the folder, unless it is there.

        Args:
            columns: Those that the shards are to have.

        Raises:
            DataError: It is a file, or cannot be written, or Parquet takes no such columns.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise data.DataError(f"{self.folder} is a file: choose a folder for the shards")
        place = self.folder if self.folder.is_dir() else self.folder.parent
        data.RowWriter.check(place / self.path(0).name, columns)
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def agree(self, key: dict[str, Any], locks: bool) -> None:
        """Make sure that the folder is for the same request; the first one writes its note.

        Args:
            key: What the shards depend on.
            locks: Whether its file system has locks.

        Raises:
            InferenceError: It holds something else.
        """
        key = json.loads(json.dumps({**key, "shards": self.number, "rows": self.rows}))
        note = self.folder / KEY
        with claim(note, f"the folder {self.folder}") if locks else nullcontext():
            used = any(self.folder.glob("[!.]*"))  # before the note is read, which another process may be writing
            found = read_json(note)
            if found is None and used:
                raise InferenceError(f"{self.folder} is not empty: choose another folder for the shards")
            if found is None:
                write_json(note, key)
            elif found != key:
                names = ", ".join(sorted(name for name in {*found, *key} if found.get(name) != key.get(name)))
                raise InferenceError(
                    f"{self.folder} holds the shards of another request (other {names}): choose another folder, or "
                    "delete this one"
                )
