"""Predicted chunks that wait next to the output until all are there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.inference.errors import InferenceError
from zoo.inference.job import REASON

KEY = "key.json"


class Parts:
    """Predictions of the chunks that are done, as files in a folder next to the output.

    The caller has the output for itself (see `claim`).

    Args:
        output: The file to be written.
        key: What the predictions depend on; parts of another key are thrown away.
    """

    def __init__(self, output: Path, key: dict[str, Any]) -> None:
        self.folder = output.with_name(f".{output.name}.parts")
        text = json.dumps(key, sort_keys=True)
        note = self.folder / KEY
        if self.folder.exists() and (not note.exists() or note.read_text(encoding="utf-8") != text):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("*.unfinished"):
            leftover.unlink()
        note.write_text(text, encoding="utf-8")

    def path(self, number: int) -> Path:
        """File of one chunk."""
        return self.folder / f"{number:06d}.npz"

    def write(self, number: int, table: pd.DataFrame) -> None:
        """Keep a chunk; its file is complete or not there.

        Args:
            number: Of the chunk.
            table: Columns of predictions, and `reason`.

        Raises:
            InferenceError: The disk is full, or cannot be written.
        """
        names = [name for name in table.columns if name != REASON]
        columns = {f"column_{i}": without_objects(table[name].to_numpy()) for i, name in enumerate(names)}
        unfinished = self.folder / f"{number:06d}.unfinished"
        try:
            with unfinished.open("wb") as file:
                reasons = table[REASON].to_numpy().astype(np.str_)
                np.savez(file, names=np.array(names, np.str_), reasons=reasons, **columns)  # type: ignore[arg-type]
            os.replace(unfinished, self.path(number))
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise InferenceError(
                f"{self.folder} cannot be written ({error.strerror or error}): make room, and repeat the call to go on "
                "with what is done"
            ) from error

    def read(self, number: int) -> pd.DataFrame:
        """Return a chunk as it was written."""
        with np.load(self.path(number), allow_pickle=False) as arrays:
            columns = {str(name): with_objects(arrays[f"column_{i}"]) for i, name in enumerate(arrays["names"])}
            return pd.DataFrame({**columns, REASON: arrays["reasons"].astype(object)})

    def remove(self) -> None:
        """Remove all chunks."""
        shutil.rmtree(self.folder)


def without_objects(column: np.ndarray) -> np.ndarray:
    """Return a column of texts as an array that a file holds without pickles."""
    return column.astype(np.str_) if column.dtype == object else column


def with_objects(values: np.ndarray) -> np.ndarray:
    """Return a column of texts in the type that tables hold them in."""
    return values.astype(object) if values.dtype.kind == "U" else values
