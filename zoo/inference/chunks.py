"""Predicted chunks that wait beside the output until all are there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np


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
