"""Requests for the prediction of a file, and the resources that they need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from zoo import data
from zoo.inference.errors import InferenceError
from zoo.inference.job import Job
from zoo.inference.keys import digest, prediction_key
from zoo.inference.vectors import EmbeddingJob
from zoo.inference.workers import PATIENCE
from zoo.learners import parts
from zoo.recipe.inputs import Inputs
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import ReadOptions
from zoo.recipe.trust import require_trust
from zoo.recipe.uncertainty import UncertaintyOptions
from zoo.registry.catalog.domains import DOMAINS
from zoo.runs import available_cores, checkpoint
from zoo.runs.ensemble_folder import SavedModels, read_all
from zoo.trust.domain.finding import places


@dataclass(frozen=True)
class FileOptions:
    """Options for predicting a file.

    Args:
        smiles_column: Column of the SMILES; `None` takes the run's own where it is there, and else finds it.
        separator: Between the cells of a text file; `None` finds it.
        encoding: Of a text file; `None` finds it.
        sheet: Of a workbook; `None` takes the first one.
        chunk_size: Rows at a time; with `num_workers` they bound the memory.
        num_workers: Processes that predict, this one among them; `None` takes one for each core, 0 and any GPU only
            this one.
        batch_size: Molecules in a batch of the model; `None` takes what is fastest for it.
        device: As in `zoo.build`.
        progress: Show the bar; `None` shows it in a terminal or notebook.
        patience: Seconds without an answer after which a worker is reported as hung.
        trust: As in `zoo.load`.
        guard_formulas: As in `zoo.data.RowWriter`.
        domain: As in `Predictor.predictions`; `None` leaves the domain out.
        neighbors: As in `Predictor.predictions`.
        uncertainty: As in `zoo.recipe.UncertaintyOptions`, as are the next two.
        uncertainty_args: Options of the estimator.
        coverage: Share of the true values that intervals or sets are to hold.
    """

    smiles_column: str | None = None
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    chunk_size: int = 1000
    num_workers: int | None = None
    batch_size: int | None = None
    device: str = "auto"
    progress: bool | None = None
    patience: float = PATIENCE
    trust: bool = False
    guard_formulas: bool = False
    domain: str | None = None
    neighbors: int = 0
    uncertainty: str | None = None
    uncertainty_args: Mapping[str, Any] = field(default_factory=dict)
    coverage: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("num_workers", 0), ("patience", 0), ("neighbors", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InferenceError(f"{name}={value}: give a number of at least {least}")
        if self.domain is not None:
            _ = DOMAINS[self.domain]  # its error names all measures

    @property
    def how(self) -> dict[str, Any]:
        """Arguments of `Predictor.predictions` that change what is predicted."""
        near = {"domain": self.domain or True, "neighbors": self.neighbors} if self.domain or self.neighbors else {}
        return {**near, **UncertaintyOptions(self.uncertainty, self.uncertainty_args, self.coverage).keywords()}


@dataclass(frozen=True)
class Request:
    """A file to be predicted, opened and checked.

    Args:
        saved: The model, or the members of an ensemble.
        rows: The file.
        options: How it is predicted.
        vectors: `level` and `of` of an `EmbeddingJob`, where it is to be embedded, not predicted.
    """

    saved: SavedModels
    rows: data.RowStream
    options: FileOptions
    vectors: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls, run: str | Path, source: Any, options: dict[str, Any], vectors: Mapping[str, Any] | None = None
    ) -> Request:
        """Open model and file; arguments as of the class.

        Raises:
            TypeError: An option that does not exist.
            InferenceError: A number out of its range.
            DataError: The file cannot be read.
            CheckpointError: There is no model, or a damaged one.
            UntrustedPlace: It names a class that is not registered.
        """
        chosen = from_mapping(FileOptions, options)
        saved = read_all(run)
        fitted = saved.checkpoints[0].fitted
        inputs = fitted.inputs if vectors is None else Inputs(molecules=fitted.inputs.molecules)
        rows = open_rows(source, chosen, saved.checkpoints[0], inputs)
        for model in saved.checkpoints:
            require_trust(model.recipe, chosen.trust)
        return cls(saved, rows, chosen, vectors)

    @property
    def job(self) -> Job:
        """Job of the workers."""
        options = self.options
        path, label = str(self.saved.path), self.rows.label
        facts = (path, options.device, options.batch_size, options.trust, label, self.options.how)
        return Job(*facts) if self.vectors is None else EmbeddingJob(*facts, **self.vectors)

    @property
    def on_cpu(self) -> bool:
        """Whether the model runs on a CPU."""
        return parts.resolve_device(self.options.device).type == "cpu"

    @property
    def workers(self) -> int:
        """Number of processes, this one among them."""
        if not self.on_cpu:
            return 0
        return available_cores() if self.options.num_workers is None else self.options.num_workers

    def key(self, source: Path, whole: int | None = None) -> dict[str, Any]:
        """Return the inputs of the predictions; `whole` as in `digest`."""
        key, how = prediction_key(self.saved, self.rows, digest(source, whole)), self.options.how
        if "domain" in how:
            files = [next(filter(Path.exists, places(saved.path)), None) for saved in self.saved.checkpoints]
            how = {**how, "domains": [None if file is None else digest(file) for file in files]}
        key = key if self.vectors is None else {**key, "vectors": dict(self.vectors)}
        return {**key, "how": {**how, "batch_size": self.options.batch_size}} if how else key

    def bar(self, total: int | None = None) -> tqdm:
        """Return the progress bar."""
        shown = self.options.progress
        return tqdm(desc="predict", unit="mol", total=total, disable=None if shown is None else not shown)


def open_rows(
    source: Any, options: FileOptions, saved: checkpoint.Checkpoint, inputs: Inputs | None = None
) -> data.RowStream:
    """Open a file with the columns that a model reads; its molecules are in the run's own column, if that is there.

    Args:
        source: As in `zoo.data.stream`.
        options: How it is read.
        saved: The model.
        inputs: Columns that are read of it; `None` takes all that the model reads.

    Raises:
        DataError: The file cannot be read, or lacks a column.
    """
    fields = ("smiles_column", "separator", "encoding", "sheet")
    reading = ReadOptions(**{name: getattr(options, name) for name in fields})
    inputs, own = inputs or saved.fitted.inputs, saved.recipe.data
    if options.smiles_column is None and own is not None and own.smiles_column and not inputs.molecules:
        with suppress(data.DataError):  # the file calls its molecules otherwise, or the call below says what is wrong
            named = replace(reading, smiles_column=own.smiles_column)
            return data.stream(source, chunk_size=options.chunk_size, options=named, inputs=inputs)
    return data.stream(source, chunk_size=options.chunk_size, options=reading, inputs=inputs)
