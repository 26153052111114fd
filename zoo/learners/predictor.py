"""`Predictor`: a featurizer and a trained model that are evaluated on data sets and applied to molecules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeDataset, Split
from zoo.data import load as load_data
from zoo.data.arrays import Floats
from zoo.data.features import FeatureScaler
from zoo.learners.decisions import decide_classes
from zoo.learners.labels import as_kind, check_labels, columns_of_inputs
from zoo.learners.measured import Measured
from zoo.learners.molecule_lists import index_of, with_features
from zoo.learners.molecule_reader import MoleculeReader
from zoo.learners.own_features import require_same_features, require_same_molecules, take_features
from zoo.learners.predictions import Predictions, with_reasons
from zoo.learners.uncertainty import estimator_for
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog.domains import DOMAINS, KEEP_DOMAIN
from zoo.registry.catalog.explainers import EXPLAIN
from zoo.tasks import TargetScaler, Task, Weighting, make_task
from zoo.training import distributed

if TYPE_CHECKING:
    import pandas as pd


class Predictor(MoleculeReader, Measured):
    """Base class of learners: everything that they can do once they are trained.

    Args:
        recipe: What was asked for.
        fitted: What came of it.
        featurizer: Molecules to graphs.

    Attributes:
        request: The recipe, completed with the data and the training options that `fit` was asked for.
        trained_on: Training and validation part of the last `fit`.
        place: Folder of the checkpoint that it was read from.
        derived: Objects that were made of `trained_on`, or of files at `place`, and are used again.
    """

    def __init__(self, recipe: Recipe, fitted: Fitted, featurizer: Featurizer) -> None:
        super().__init__(recipe, fitted, featurizer)
        self.request = recipe
        self.trained_on: tuple[MoleculeDataset, MoleculeDataset | None] | None = None
        self.place: Path | None = None
        self.derived: dict[str, Any] = {}

    @property
    def task(self) -> Task:
        """Kind of target."""
        return make_task(self.fitted.task, self.fitted.task_args)

    @property
    def scaler(self) -> TargetScaler | None:
        """Scaling of regression targets, once trained."""
        state = self.fitted.target_scaling
        return None if state is None else TargetScaler.from_state_dict(state)

    @property
    def weighting(self) -> Weighting | None:
        """Weights of tasks and classes in the loss of the training."""
        weights = self.fitted.loss_weights
        return None if weights is None else Weighting.from_dict(weights)

    @abstractmethod
    def predict_packed(self, packed: PackedMolecules, batch_size: int | None = None) -> Floats:
        """Predictions (n, T) of molecules that are featurized already, as `predict` gives them."""

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `zoo.load` reads."""

    @property
    @abstractmethod
    def num_parameters(self) -> int:
        """Size of the model."""

    def predict(
        self, molecules: object, *, features: Any = None, batch_size: int | None = None, on_invalid: str = "nan"
    ) -> Floats:
        """Predict molecules in their order.

        Args:
            molecules: SMILES, InChI or RDKit molecules, one or many; a data set; a DataFrame, by its column of
                molecules; or the name of a file (CSV, TSV, SMI, SDF, MOL, Parquet, XLSX).
            features: Numbers next to the molecules, for a learner that reads some: by name, or as an array (n, F) in
                their order. Frames, files and data sets have them as columns.
            batch_size: Molecules at a time; `None` takes what is fastest for the model.
            on_invalid: "nan" gives a row of NaN to a molecule that cannot be read, "raise" an error.

        Returns:
            (n, T): probabilities for classification, float32, values in the targets' unit for regression, float64;
            (n, T, C): the probability of each class for multiclass, float32.

        Raises:
            TypeError: Something that holds no molecules.
        """
        molecules = with_features(molecules, features, self.fitted.inputs)
        return self.predictions(molecules, batch_size=batch_size, on_invalid=on_invalid).values

    def predictions(
        self,
        molecules: object,
        *,
        features: Any = None,
        batch_size: int | None = None,
        on_invalid: str = "nan",
        domain: bool | str = False,
        neighbors: int = 0,
        uncertainty: str | None = None,
        coverage: float | None = None,
        **options: Any,
    ) -> Predictions:
        """Predict molecules, and say why some cannot be predicted, and how far the others can be trusted.

        Args:
            molecules: As in `predict`.
            features: As in `predict`.
            batch_size: As in `predict`.
            on_invalid: As in `predict`.
            domain: Also tell how much each molecule resembles the training molecules (`nearest_similarity`) and whether
                that is enough (`in_domain`); the name of a measure, or `True` for "fingerprint".
            neighbors: Name so many of the nearest training molecules with their labels; implies `domain`.
            uncertainty: Name of an estimator (`molzoo list estimators`), such as "mc_dropout", which gives `spread`.
            coverage: Share of the true values that intervals (of numbers) or sets (of classes) are to hold, between 0
                and 1; it needs a calibrated learner, see `zoo.trust.calibrate`.
            **options: Of the estimator, such as `passes=50`.

        Raises:
            ValueError: The estimator does not fit the learner (the message names those that do), or an option is out
                of its range.
            TypeError: An option that the estimator does not have.
            NoDomain: `domain` is asked for, and nothing tells what the learner was trained on.
        """
        molecules = with_features(molecules, features, self.fitted.inputs)
        if isinstance(molecules, Iterator):
            molecules = list(molecules)
        estimator = estimator_for(uncertainty, coverage, options, self.fitted.calibration)
        if estimator is None:
            found = self.plain_predictions(molecules, batch_size, on_invalid)
        else:
            found = estimator.predictions(self, molecules, batch_size, on_invalid, coverage)
        return self.with_domain(found, molecules, domain, neighbors) if domain or neighbors else found

    def plain_predictions(self, molecules: object, batch_size: int | None, on_invalid: str) -> Predictions:
        """Predict molecules without anything that is asked for besides; arguments as in `predict`."""
        values, reasons = self.apply(molecules, lambda packed: self.predict_packed(packed, batch_size), on_invalid)
        classes = decide_classes(values, self.fitted)
        return Predictions(
            values, with_reasons(values, reasons), self.fitted.column_names, index=index_of(molecules), classes=classes
        )

    def with_domain(self, found: Predictions, molecules: object, domain: bool | str, neighbors: int) -> Predictions:
        """Add to predictions how much the molecules resemble those of the training; arguments as in `predictions`."""
        if neighbors < 0:
            raise ValueError(f"neighbors={neighbors}: give a number of training molecules, or 0")
        measure = DOMAINS[domain if isinstance(domain, str) else "fingerprint"].resolve()
        inside, columns = measure(self, molecules, neighbors)
        return replace(found, in_domain=inside, more={**found.more, **columns})

    def explain(self, molecules: object, method: str | None = None, **options: Any) -> Any:
        """Attribute predictions to atoms and bonds; arguments and result as `zoo.trust.explain`, which draws them."""
        return EXPLAIN.resolve()(self, molecules, method, **options)

    def remember(self, train: MoleculeDataset, parts: Split | None) -> None:
        """Remember the parts that `fit` learns from; what was made of others is forgotten."""
        self.trained_on, self.derived = (train, parts.valid if parts else None), {}

    def keep_domain(self, folder: Path) -> None:
        """Write what new molecules are compared with into the folder of a run or a checkpoint."""
        KEEP_DOMAIN.resolve()(self, folder)

    def note(
        self,
        dataset: MoleculeDataset,
        training: TrainingOptions,
        data: DataOptions,
        scaler: TargetScaler | None = None,
        features: FeatureScaler | None = None,
        weighting: Weighting | None = None,
    ) -> None:
        """Keep what `fit` was asked for and what it found in the data."""
        self.request = replace(self.recipe, training=training, data=data)
        self.fitted = replace(
            self.fitted,
            task_names=dataset.task_names,
            label_names={name: list(words) for name, words in dataset.label_names.items()},
            target_scaling=None if scaler is None else scaler.state_dict(),
            calibration={},
            untrained=(),
            feature_scaling=None if features is None else features.state_dict(),
            thresholds={},
            loss_weights=weighting.to_dict() if weighting else None,
            ranks=distributed.size(),
        )

    def check_dataset(self, data: MoleculeDataset | str | pd.DataFrame) -> MoleculeDataset:
        """Return the data set if its tasks are those that the learner was built for.

        Raises:
            ValueError: Another number or kind of tasks, or a word is class 1 that was class 0 in training.
        """
        fitted, columns = self.fitted, self.fitted.feature_names
        dataset = data if isinstance(data, MoleculeDataset) else load_data(data, **columns_of_inputs(fitted))
        require_same_features(dataset, columns)
        require_same_molecules(dataset, fitted.smiles_columns)
        return check_labels(as_kind(take_features(dataset, columns), fitted.task), fitted)
