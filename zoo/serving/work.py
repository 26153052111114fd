"""Questions for worker processes: plain data that go through a pipe, each with the way to answer it.

A worker begins with `RunStart` or `SketchStart`; then questions are answered one after another. `served` is the
`zoo.serving.served.Served` of its run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunStart:
    """Start of a worker that predicts with a run.

    Args:
        path: Folder of a run, a checkpoint or an ensemble.
        name: What clients call it.
        device: As in `zoo.load`.
        trust: As in `zoo.load`.
        batch_size: As in `ServeOptions`.
        threads: Threads of torch.
        max_atoms: Heavy atoms of a molecule.
    """

    path: str
    name: str
    device: str
    trust: bool
    batch_size: int | None
    threads: int
    max_atoms: int


@dataclass(frozen=True)
class SketchStart:
    """Start of the worker that draws."""


@dataclass(frozen=True)
class Describe:
    """Question for what a run is; the answer is plain data."""

    def answer(self, served: Any) -> dict[str, Any]:
        """Describe the run."""
        return served.describe()


@dataclass(frozen=True)
class ReadCard:
    """Question for the card of a run, as HTML."""

    def answer(self, served: Any) -> str | None:
        """Read it; None where there is none."""
        file = served.card
        return file.read_text("utf-8", "replace") if file.is_file() else None


@dataclass(frozen=True)
class PredictMolecules:
    """Question for the predictions of molecules.

    Args:
        molecules: n SMILES, or n rows of several.
        features: Numbers next to them by name (n each), for runs that read some.
        how: Arguments of `Predictor.predictions`.
    """

    molecules: Sequence[Any]
    features: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, served: Any) -> pd.DataFrame:
        """Return the table (n rows) with the columns of `Predictions.to_frame`."""
        return served.predict(self.molecules, self.features, self.how)


@dataclass(frozen=True)
class OpenUpload:
    """Question for what a file holds.

    Args:
        path: The file.
        name: What its sender calls it.
        reading: Fields of `ReadOptions`: `smiles_column`, `separator`.
        max_rows: Most rows.
    """

    path: str
    name: str
    reading: Mapping[str, Any]
    max_rows: int

    def answer(self, served: Any) -> dict[str, Any]:
        """Return `rows`, `columns`, `smiles_column` and `notes`."""
        return served.open_upload(self)


@dataclass(frozen=True)
class PredictUpload:
    """Question for the predictions of some rows of a file.

    Args:
        upload: The file.
        start: Number of the first row, from 0.
        stop: Number of the row behind the last one.
        how: Arguments of `Predictor.predictions`.
    """

    upload: OpenUpload
    start: int
    stop: int
    how: Mapping[str, Any]

    def answer(self, served: Any) -> tuple[pd.DataFrame, list[str], pd.DataFrame]:
        """Return the rows as they are, their molecules, and the table of predictions."""
        return served.predict_upload(self)


@dataclass(frozen=True)
class CloseUpload:
    """Message that a file is no longer needed."""

    path: str

    def answer(self, served: Any) -> None:
        """Forget the file."""
        served.uploads.pop(self.path, None)


@dataclass(frozen=True)
class Explain:
    """Question for the atoms that a prediction comes from.

    Args:
        molecule: A SMILES.
        features: As in `PredictMolecules`, for one row.
        options: Arguments of `zoo.trust.explain`: `method`, `task`, `class_name`.
    """

    molecule: str
    features: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, served: Any) -> dict[str, Any]:
        """Return what `Explanation.to_dict` returns, with `caption` and `picture`, a PNG as base64."""
        return served.explain(self)


@dataclass(frozen=True)
class Draw:
    """Question for the drawing of a molecule, as SVG text.

    Args:
        molecule: A SMILES.
        width: Pixels.
        height: Pixels.
    """

    molecule: str
    width: int = 280
    height: int = 200

    def answer(self, drawings: Any) -> str:
        """Draw it; one that cannot be read raises an `InvalidMolecule`."""
        svg: str = drawings.draw_svg(self.molecule, self.width, self.height)
        return svg


@dataclass(frozen=True)
class Failure:
    """Answer in the place of one that could not be given.

    Args:
        message: In one line.
        asker: Whether the question is at fault, and not the server.
    """

    message: str
    asker: bool


def replace_path(text: str, path: str | Path, name: str) -> str:
    """Return a text with a name in the place of a path, as it was given and in full."""
    for each in {str(path), str(Path(path).expanduser().absolute()), str(Path(path).expanduser().resolve())}:
        text = text.replace(each, name)
    return text
