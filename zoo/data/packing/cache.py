"""Packed molecules in a folder: written once under a key of their content, memory-mapped, never read half-written.

A store is built under a temporary name and renamed when it is whole. Its description is written last and holds size
and checksum of every array, so that a damaged or foreign folder is recognised and built anew. Of two processes that
build the same store, the first to finish wins and the other one reads what it finds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import rdkit

from featurizers import Featurizer
from zoo.data.errors import DataError
from zoo.data.packing.encoding import EncodedChunk
from zoo.data.packing.vocabulary import CODED, TABLE, CodedRows, Vocabulary
from zoo.data.rows import InvalidRow

FORMAT = 3
DESCRIPTION = "store.json"
ONE_DAY = 86_400.0


def store_key(smiles: Sequence[str], featurizer: Featurizer) -> str:
    """Key of what would be written: molecules, featurizer with options and version, RDKit, format (64 hex digits)."""
    about = [FORMAT, featurizer.fingerprint, rdkit.__version__, len(smiles)]
    digest = hashlib.sha256(json.dumps(about).encode())
    for start in range(0, len(smiles), 10_000):
        digest.update("\n".join(["", *smiles[start : start + 10_000]]).encode(errors="surrogatepass"))
    return digest.hexdigest()


class _ArrayFile:
    """One array that grows row by row on disk, and where it is `widening` from 16 to 32 bits a number."""

    def __init__(self, file: BinaryIO, widening: bool = False) -> None:
        self.file, self.widening, self.rows, self.checksum = file, widening, 0, 0
        self.width: tuple[int, ...] | None = None
        self.dtype: np.dtype = np.dtype(np.uint8)

    def append(self, rows: np.ndarray) -> None:
        if self.width is None:
            self.width, self.dtype = rows.shape[1:], rows.dtype
        if self.widening and (self.dtype, rows.dtype) == (np.uint16, np.uint32):
            self._widen()
        if rows.shape[1:] != self.width or (len(rows) and rows.dtype != self.dtype):
            raise TypeError(
                f"a featurizer must give arrays of one type and width: {self.dtype}{self.width} before, "
                f"now {rows.dtype}{rows.shape[1:]}"
            )
        content = np.ascontiguousarray(rows).tobytes()
        self.file.write(content)
        self.checksum = zlib.crc32(content, self.checksum)
        self.rows += len(rows)

    def _widen(self) -> None:
        """Write the numbers so far anew, in 32 bits."""
        self.file.flush()
        content = np.fromfile(self.file.name, self.dtype).astype(np.uint32).tobytes()
        self.file.seek(0)
        self.file.write(content)
        self.dtype, self.checksum = np.dtype(np.uint32), zlib.crc32(content)

    def describe(self) -> dict[str, Any]:
        self.file.flush()
        os.fsync(self.file.fileno())
        return {"dtype": self.dtype.str, "shape": [self.rows, *(self.width or ())], "crc32": self.checksum}


def build_store(folder: Path, key: str, chunks: Iterable[EncodedChunk]) -> None:
    """Write a store; when this returns, `folder` is complete.

    Args:
        folder: Where it shall be.
        key: Of its content.
        chunks: Its content.

    Raises:
        DataError: The place cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        unfinished = _beside(folder, "building")
    except OSError as error:
        raise DataError(f"cache folder {folder.parent} cannot be written ({error.strerror}): give another") from error
    try:
        _write(unfinished, key, chunks)
        _put_in_place(unfinished, folder, key)
    except OSError as error:
        raise DataError(f"cache {folder} cannot be written ({error.strerror}): make room or give another") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(folder: Path, key: str, chunks: Iterable[EncodedChunk]) -> None:
    files: dict[str, _ArrayFile] = {}
    words: dict[str, Vocabulary] = {}
    invalid: list[InvalidRow] = []
    with ExitStack() as stack:

        def append(name: str, rows: np.ndarray) -> None:
            if name not in files:
                file = stack.enter_context((folder / f"{name}.bin").open("wb"))
                files[name] = _ArrayFile(file, widening=name in words)
            files[name].append(rows)

        for chunk in chunks:
            for name, rows in chunk.arrays.items():
                if name in CODED and Vocabulary.pays_for(rows):
                    rows = words.setdefault(name, Vocabulary()).number(rows)
                append(name, rows)
            invalid += chunk.invalid
        for name, known in words.items():
            append(f"{name}{TABLE}", known.table())
        arrays = {name: file.describe() for name, file in files.items()}
    description = {"format": FORMAT, "key": key, "arrays": arrays, "invalid": [entry[:3] for entry in invalid]}
    with (folder / DESCRIPTION).open("w", encoding="utf-8") as file:
        json.dump(description, file)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(unfinished: Path, folder: Path, key: str) -> None:
    for _ in range(3):
        try:
            os.rename(unfinished, folder)
            return
        except OSError:
            if open_store(folder, key) is not None:  # another process was faster
                return
            _move_away(folder)
    os.rename(unfinished, folder)


def _move_away(folder: Path) -> None:
    """Remove a damaged store; under a new name first, so that nobody finds half of it."""
    away = _beside(folder, "broken")
    try:
        os.rename(folder, away / "store")
    except FileNotFoundError:
        pass  # another process was faster
    finally:
        shutil.rmtree(away, ignore_errors=True)


def _beside(folder: Path, purpose: str) -> Path:
    """A new folder next to `folder` that no other process uses."""
    made = folder.with_name(f"{folder.name}.{purpose}-{uuid.uuid4().hex}")
    made.mkdir()
    return made


def _sweep(folder: Path) -> None:
    """Remove what interrupted builds left behind, if it is old enough to be nobody's work."""
    for left in [*folder.parent.glob("*.building-*"), *folder.parent.glob("*.broken-*")]:
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ONE_DAY:
                shutil.rmtree(left)


def open_store(folder: Path, key: str) -> tuple[dict[str, np.ndarray], tuple[InvalidRow, ...]] | None:
    """Memory-map a store.

    Args:
        folder: Where it is.
        key: What it must hold.

    Returns:
        The arrays by name (read-only) and the molecules that could not be read; `None` if there is no store, or it is
        damaged, or holds something else.
    """
    try:
        with (folder / DESCRIPTION).open(encoding="utf-8") as file:
            description = json.load(file)
        if description["format"] != FORMAT or description["key"] != key:
            return None
        arrays = {name: _map(folder / f"{name}.bin", about) for name, about in description["arrays"].items()}
        for name in [f"{coded}{TABLE}" for coded in CODED if f"{coded}{TABLE}" in arrays]:
            table, coded = arrays.pop(name), name.removesuffix(TABLE)
            arrays[coded] = CodedRows(arrays[coded], table.copy())  # type: ignore[assignment]
        return arrays, tuple(InvalidRow(int(row), str(smiles), str(why)) for row, smiles, why in description["invalid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _map(path: Path, about: dict[str, Any]) -> np.ndarray:
    """One array of a store.

    Raises:
        ValueError: The file is not what was written.
    """
    dtype, shape = np.dtype(about["dtype"]), tuple(about["shape"])
    size = dtype.itemsize * int(np.prod(shape))
    if path.stat().st_size != size:
        raise ValueError(f"{path}: {path.stat().st_size} bytes, {size} were written")
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum = zlib.crc32(block, checksum)
    if checksum != about["crc32"]:
        raise ValueError(f"{path}: checksum differs from what was written")
    if not size:
        return np.empty(shape, dtype)
    # A plain array over the map: indexing np.memmap itself costs several times more per batch.
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=shape))
