"""`Model`: an exported model that predicts SMILES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from featurizers import InvalidMolecule, PackedMolecules
from molzoo_runner.archive import Archive, read_archive
from molzoo_runner.calibration import Calibration, require_coverage
from molzoo_runner.errors import ModelFileError
from molzoo_runner.manifest import CLASSES, NUMBERS
from molzoo_runner.network import Network
from molzoo_runner.predictions import Predictions, decide_classes, explain_missing, name_class

CHUNK = 1000
"""Molecules that are encoded at a time."""


def load(path: str | Path, *, threads: int = 0) -> Model:
    """Load an exported model.

    Args:
        path: What `molzoo export` wrote, `.zip` or `.onnx`.
        threads: Threads of ONNX Runtime; 0 takes one for each core.

    Raises:
        ModelFileError: It is no such file, or a damaged one.
        OSError: It cannot be opened.
    """
    archive = read_archive(path)
    try:
        return Model(archive, threads)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


class Model:
    """An exported model; `load` makes it.

    Args:
        archive: Its content.
        threads: As for `load`.

    Attributes:
        manifest: Everything about it but the weights.
        cards: Cards of the run that it comes from, by name, as text.
    """

    def __init__(self, archive: Archive, threads: int = 0) -> None:
        self.manifest, self.cards = archive.manifest, archive.cards
        members = self.manifest.members
        self.networks = [Network(each, self.manifest, archive.graphs[each.file], threads) for each in members]
        tasks = self.manifest.tasks
        numbers = all(task.labels == NUMBERS for task in tasks)
        width = tasks[0].width if tasks[0].labels == CLASSES else 0 if numbers else 2
        self.calibration = Calibration.read(self.manifest.calibration, len(tasks), width)

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(member.model for member in self.manifest.members))
        return f"Model({names}: {', '.join(self.tasks[:5])}{', ...' if len(self.tasks) > 5 else ''})"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks (T)."""
        return tuple(task.name for task in self.manifest.tasks)

    def predict(self, molecules: Any, *, on_invalid: str = "nan") -> np.ndarray:
        """Predict molecules in their order; see `predictions`.

        Returns:
            (n, T): probabilities, or values in the targets' unit; (n, T, C) with C classes.
        """
        return self.predictions(molecules, on_invalid=on_invalid).values

    def predictions(
        self, molecules: Any, *, on_invalid: str = "nan", calibrated: bool = False, coverage: float | None = None
    ) -> Predictions:
        """Predict molecules, and say why some cannot be predicted.

        Args:
            molecules: SMILES, InChI or RDKit molecules, one or many.
            on_invalid: "nan" gives a row of NaN to a molecule that cannot be read, "raise" an error.
            calibrated: Correct probabilities by the calibration of the model.
            coverage: Share of the true values that intervals (of numbers) or sets (of classes) are to hold, between 0
                and 1; implies `calibrated`.

        Raises:
            InvalidMolecule: See `on_invalid`.
            ValueError: The model was not calibrated, or an option is out of its range.
            ModelFileError: The graph fails.
        """
        if on_invalid not in ("nan", "raise"):
            raise ValueError(f"on_invalid={on_invalid!r}: choose 'nan' or 'raise'")
        self._check_calibrated(calibrated, coverage)
        parts = list(self._chunks([molecules] if _is_one(molecules) else molecules, on_invalid))
        if not parts:
            parts = [self._predict_chunk([], on_invalid)]
        values = np.concatenate([part[0] for part in parts])
        spread, interval = (
            None if column[0] is None else np.concatenate(column)
            for column in zip(*(part[1:3] for part in parts), strict=True)
        )
        reasons = explain_missing(values, [why for part in parts for why in part[3]])
        found = Predictions(
            values, reasons, self.manifest.columns, decide_classes(values, self.manifest), spread, interval
        )
        return self._calibrate(found, coverage) if calibrated or coverage is not None else found

    def stream(self, molecules: Iterable[Any], **options: Any) -> Iterator[Predictions]:
        """Predict molecules chunk by chunk, in their order; options as for `predictions`."""
        rest = iter(molecules)
        while chunk := list(islice(rest, CHUNK)):
            yield self.predictions(chunk, **options)

    def _chunks(self, molecules: Iterable[Any], on_invalid: str) -> Iterator[tuple[Any, ...]]:
        rest = iter(molecules)
        while chunk := list(islice(rest, CHUNK)):
            yield self._predict_chunk(chunk, on_invalid)

    def _predict_chunk(self, molecules: Sequence[Any], on_invalid: str) -> tuple[Any, ...]:
        """Values, spread, interval (n, ...) and reasons (n)."""
        encoded: dict[str, tuple[list[int], PackedMolecules | None]] = {}
        reasons = [""] * len(molecules)
        outputs = []
        for network in self.networks:
            key = network.member.fingerprint
            if key not in encoded:
                encoded[key] = encode(network, molecules, reasons, on_invalid)
            rows, packed = encoded[key]
            outputs.append(spread_out(network, rows, packed, len(molecules)))
        found = {name: np.stack([output[name] for output in outputs]) for name in outputs[0]}
        weights = np.array([network.member.weight for network in self.networks])
        values, deviation = combine(found["values"], weights)
        spread = deviation if len(self.networks) > 1 else found.get("spread", [None])[0]
        interval = combine(found["interval"], weights)[0] if "interval" in found else None
        return values, spread, interval, reasons

    def _check_calibrated(self, calibrated: bool, coverage: float | None) -> None:
        if coverage is not None:
            require_coverage(coverage)
        if (calibrated or coverage is not None) and self.calibration is None:
            raise ValueError("this model was not calibrated before it was exported: molzoo calibrate RUN")

    def _calibrate(self, found: Predictions, coverage: float | None) -> Predictions:
        """Correct probabilities, and with a coverage give intervals or sets; classes stay what they were."""
        calibration = self.calibration
        if calibration is None:
            return found
        if all(task.labels == NUMBERS for task in self.manifest.tasks):
            interval = found.interval if coverage is None else calibration.intervals(found.values, coverage)
            return replace(found, interval=interval)
        values = found.values
        both = calibration.correct(values if self.manifest.by_class else np.stack([1 - values, values], axis=-1))
        sets = None if coverage is None else self._name_sets(calibration.sets(both, coverage))
        corrected = (both if self.manifest.by_class else both[..., 1]).astype(values.dtype)
        return replace(found, values=corrected, sets=sets)

    def _name_sets(self, sets: np.ndarray) -> dict[str, list[str]]:
        return {
            task.name: [
                "|".join(name_class(task, int(each)) for each in np.flatnonzero(row)) for row in sets[:, number]
            ]
            for number, task in enumerate(self.manifest.tasks)
        }


def encode(
    network: Network, molecules: Sequence[Any], reasons: list[str], on_invalid: str
) -> tuple[list[int], PackedMolecules | None]:
    """Encode what can be read; `reasons` gets why not. Return the places of what is encoded, and the codes."""
    rows, arrays = [], []
    for number, molecule in enumerate(molecules):
        try:
            arrays.append(network.featurizer.read(molecule))
            rows.append(number)
        except InvalidMolecule as error:
            if on_invalid == "raise":
                raise
            reasons[number] = reasons[number] or error.reason
    return rows, PackedMolecules.pack(arrays) if arrays else None


def spread_out(network: Network, rows: list[int], packed: PackedMolecules | None, size: int) -> dict[str, np.ndarray]:
    """Outputs of a network in the rows of n molecules, NaN in those that cannot be read."""
    some = network.run(network.probe if packed is None else packed)
    found = {}
    for name, part in some.items():
        found[name] = np.full((size, *part.shape[1:]), np.nan, part.dtype)
        found[name][rows] = part[: len(rows)]
    return found


def combine(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Weighted mean and standard deviation of the predictions of M members (M, ...), as `zoo.Ensemble` has them."""
    if len(values) == 1:
        return values[0], None
    exact = values.astype(np.float64)
    mean = np.tensordot(weights, exact, axes=1)
    variance = np.tensordot(weights, (exact - mean) ** 2, axes=1) / (1 - (weights**2).sum())
    return mean.astype(values.dtype), np.sqrt(variance).astype(values.dtype)


def _is_one(molecules: Any) -> bool:
    """Return whether this is a molecule, not many."""
    return isinstance(molecules, str) or hasattr(molecules, "GetNumAtoms")
