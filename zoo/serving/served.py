"""`Served`: a loaded run in its worker process, and its answers."""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featurizers import InvalidMolecule
from featurizers.guard import INCHI
from featurizers.reading import check_size, read_molecule
from zoo.data import DataError, MoleculeRows
from zoo.data.features import MissingFeatureWarning
from zoo.data.streaming import RowStream
from zoo.inference.request import FileOptions, open_rows
from zoo.learners import loading
from zoo.learners.molecule_lists import with_features
from zoo.learners.predictor import Predictor
from zoo.runs import RunFolder
from zoo.runs.ensemble_folder import SavedModels, read_all
from zoo.serving.work import Explain, OpenUpload, PredictUpload, RunStart, replace_path
from zoo.trust import fitting
from zoo.trust.attribution.explain import default_method
from zoo.trust.domain import domain_of

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 1000
"""Rows at a time, as many as `molzoo predict` takes: batches, and so all digits, are the same."""
COVERAGE = 0.9
ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")
"""An atom of a SMILES."""


@dataclass
class Served:
    """A run that answers.

    Args:
        start: What was asked for.
        learner: The trained model.
        saved: Its files.
        uploads: Files that are being predicted, by path.
    """

    start: RunStart
    learner: Predictor
    saved: SavedModels
    uploads: dict[str, RowStream] = field(default_factory=dict)

    @classmethod
    def load(cls, start: RunStart) -> Served:
        """Load a run and predict methane with it, so that the first client does not wait for what is loaded late.

        Raises:
            CheckpointError: There is no model, or a damaged one.
            UntrustedPlace: It names a class that is not registered.
            ValueError: It has no trained head.
        """
        learner = loading.load(start.path, device=start.device, trust=start.trust)
        for member in getattr(learner, "members", (learner,)):
            member.fitted.require_trained()
        served = cls(start, learner, read_all(start.path))
        learner.predict_packed(learner.probe())
        return served

    @property
    def card(self) -> Path:
        """File of the run's card, which need not be there."""
        return RunFolder.of(self.start.path).card(".html")

    def describe(self) -> dict[str, Any]:
        """Return what clients learn of the run; nothing of it names a place on this machine."""
        learner, fitted = self.learner, self.learner.fitted
        source = learner.recipe.data.source if learner.recipe.data else None
        return {
            "name": self.start.name,
            "model": learner.recipe.model,
            "members": len(getattr(learner, "members", ())) or None,
            "parameters": learner.num_parameters,
            "data": None if source is None else source.replace("\\", "/").rsplit("/", 1)[-1],
            "kind": fitted.task,
            "tasks": list(fitted.output_names),
            "columns": list(fitted.column_names),
            "features": list(fitted.feature_names),
            "molecule_columns": list(fitted.smiles_columns),
            "domain": self.describe_domain(),
            "intervals": self.has_intervals(),
            "uncertainty": fitting(learner),
            "explains": not fitted.smiles_columns,
            "explainer": default_method(learner),
            "card": self.card.is_file(),
        }

    def describe_domain(self) -> dict[str, Any] | None:
        """Return size and threshold of the applicability domain, None where the run kept none."""
        try:
            domain = domain_of(self.learner)
        except ValueError:
            return None
        return {"molecules": domain.trained_on, "threshold": domain.threshold}

    def has_intervals(self) -> bool:
        """Return whether the run is calibrated, so that it gives intervals or sets of a chosen coverage."""
        try:
            self.learner.predictions(["C"], coverage=COVERAGE)
        except (ValueError, TypeError):
            return False
        return True

    def predict(
        self, molecules: Sequence[Any], features: Mapping[str, Sequence[Any]], how: Mapping[str, Any]
    ) -> pd.DataFrame:
        """Predict molecules that came in a request; see `PredictMolecules`."""
        inputs = self.learner.fitted.inputs
        missing = [name for name in inputs.features if name not in features]
        if missing or (features and set(features) - set(inputs.features)):
            raise DataError(
                f"features: this run reads {list(inputs.features)}: give a list of numbers for each of them"
            )
        columns = {
            name: [float("nan") if cell is None else cell for cell in features[name]] for name in inputs.features
        }
        rows = with_features(list(molecules), columns or None, inputs)
        if not isinstance(rows, MoleculeRows):
            rows = MoleculeRows(rows)
        return self.predict_rows(rows, how)

    def predict_rows(self, rows: MoleculeRows, how: Mapping[str, Any]) -> pd.DataFrame:
        """Predict rows, those that are too large left out with the reason."""
        reasons = {**self.find_large(rows), **rows.reasons}
        rows = MoleculeRows(rows.smiles, rows.features, reasons, rows.partners, rows.columns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingFeatureWarning)
            return self.learner.predictions(rows, batch_size=self.start.batch_size, **how).to_frame()

    def find_large(self, rows: MoleculeRows) -> dict[int, str]:
        """Return why rows are refused whose molecules have too many atoms; short SMILES are not read for it."""
        found: dict[int, str] = {}
        for column in (rows.smiles, *rows.partners):
            for place, text in enumerate(column):
                if isinstance(text, str) and len(text) > self.start.max_atoms and place not in found:
                    reason = self.why_large(text)
                    found |= {place: reason} if reason else {}
        return found

    def why_large(self, text: str) -> str:
        """Return why a molecule is too large, empty where it is not; the atoms of a SMILES are counted, not read."""
        most, words = self.start.max_atoms, text.split(None, 1)
        if not words or words[0].startswith(INCHI):
            try:
                check_size(read_molecule(text), text, most)
            except InvalidMolecule as error:
                return error.reason
            return ""
        count = sum(token != "[H]" for token in ATOM.findall(words[0]))
        return f"{count} atoms, more than max_atoms={most}" if count > most else ""

    def open_upload(self, upload: OpenUpload) -> dict[str, Any]:
        """Open a file; see `OpenUpload`.

        Raises:
            DataError: It cannot be read, or has too many rows.
        """
        try:
            options = FileOptions(chunk_size=CHUNK, **upload.reading)
            rows = open_rows(upload.path, options, self.saved.checkpoints[0])
            count = rows.count()
        except DataError as error:
            raise DataError(replace_path(str(error), upload.path, upload.name)) from error
        if count > upload.max_rows:
            raise DataError(f"{upload.name} has {count:,} rows, and this server takes {upload.max_rows:,}: split it")
        self.uploads[upload.path] = replace(rows, label=upload.name)
        notes = [replace_path(note, upload.path, upload.name) for note in rows.notes]
        return {"rows": count, "columns": rows.columns, "smiles_column": rows.smiles_column, "notes": notes}

    def predict_upload(self, asked: PredictUpload) -> tuple[pd.DataFrame, list[str], pd.DataFrame]:
        """Predict some rows of a file; see `PredictUpload`."""
        path = asked.upload.path
        if path not in self.uploads:  # this process was started anew
            self.open_upload(asked.upload)
        try:
            chunk = next(self.uploads[path].between(asked.start, asked.stop))
        except DataError as error:
            raise DataError(replace_path(str(error), path, asked.upload.name)) from error
        return chunk.rows, list(chunk.smiles), self.predict_rows(chunk.molecules, asked.how)

    def explain(self, asked: Explain) -> dict[str, Any]:
        """Explain a prediction; see `Explain`."""
        features = {name: [float("nan") if cell is None else cell for cell in asked.features[name]]
                    for name in asked.features}  # fmt: skip
        if reason := self.why_large(asked.molecule):
            raise InvalidMolecule(asked.molecule, reason)
        found = self.learner.explain([asked.molecule], features=features or None, **asked.options)[0]
        if found.reason:
            raise InvalidMolecule(asked.molecule, found.reason)
        picture = base64.b64encode(found.draw("png")).decode("ascii")
        return {**found.to_dict(), "caption": found.caption, "picture": picture}
