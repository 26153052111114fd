"""`MoleculeEstimator`: what classifier and regressor have in common."""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from zoo.data import DataError, MoleculeDataset, Split, split_dataset
from zoo.data import load as load_data
from zoo.learners import Ensemble, Predictor, build, load
from zoo.registry.catalog.models import MODELS
from zoo.registry.plugins import load_plugins
from zoo.sklearn.arrays import smiles_of
from zoo.sklearn.folded import fold, unfold

SECTIONS = ("model_args", "optimizer_args", "featurizer_args", "task_args", "training_args")
MOST_SEEDS = 2**31 - 1


class MoleculeEstimator(BaseEstimator):
    """Base class of estimators over lists of SMILES; the parameters are those of its subclasses.

    Options in mappings are parameters too: `set_params(model_args__hidden_size=64)` and a grid over them work.
    """

    model: str | Sequence[str] | None
    featurizer: str | None
    optimizer: str
    model_args: Mapping[str, Any] | None
    optimizer_args: Mapping[str, Any] | None
    featurizer_args: Mapping[str, Any] | None
    task_args: Mapping[str, Any] | None
    training_args: Mapping[str, Any] | None
    init: str | Mapping[str, Any] | None
    epochs: int | None
    batch_size: int
    patience: int | None
    validation_fraction: float
    validation_split: str
    members: int
    random_state: int | np.random.RandomState | None
    device: str
    verbose: bool
    learner_: Predictor

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; with `deep` also the options in mappings, as `model_args__hidden_size`."""
        found = super().get_params(deep=deep)
        for section in SECTIONS if deep else ():
            options = found[section] if isinstance(found[section], Mapping) else {}
            found |= {f"{section}__{option}": value for option, value in options.items()}
        return found

    def set_params(self, **params: Any) -> MoleculeEstimator:
        """Set parameters by name; options in mappings as `model_args__hidden_size`."""
        options = {
            name: value for name, value in params.items() if name.partition("__")[0] in SECTIONS and "__" in name
        }
        super().set_params(**{name: value for name, value in params.items() if name not in options})
        for name, value in options.items():
            section, _, option = name.partition("__")
            setattr(self, section, {**(getattr(self, section) or {}), option: value})
        return self

    def __sklearn_tags__(self) -> Any:
        """Return the tags: lists of texts, several tasks."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = tags.target_tags.multi_output = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return the state, the learner as the files of its checkpoint: optimizers cannot be pickled."""
        state = dict(super().__getstate__())
        learner = state.pop("learner_", None)
        if learner is not None:
            with tempfile.TemporaryDirectory() as folder:
                learner.save(Path(folder) / "saved")
                state["_saved_learner"] = fold(Path(folder) / "saved")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state."""
        saved = state.pop("_saved_learner", None)
        super().__setstate__(state)
        if saved is not None:
            with tempfile.TemporaryDirectory() as folder:
                unfold(saved, Path(folder) / "saved")
                self.learner_ = load(str(Path(folder) / "saved"), device=self.device, trust=True)  # as pickle trusts

    def _fit(self, X: Any, columns: np.ndarray, names: list[str], weights: Any, **labels: Any) -> None:
        """Train the members.

        Args:
            X: SMILES (n).
            columns: Labels (n, T).
            names: Names of the tasks (T).
            weights: Of the molecules (n,), or `None`.
            **labels: Other fields of the data set: kind of target, words, number of classes.
        """
        dataset = labelled(smiles_of(X), columns, names, weights, **labels)
        seed = seed_of(self.random_state)
        models = [self.model] if isinstance(self.model, str) or not isinstance(self.model, Sequence) else self.model
        if self.members < 1 or not len(models):
            raise ValueError(f"members={self.members}, model={self.model!r}: at least one model is needed")
        fitted = [self._fit_member(model, dataset, seed + each) for each in range(self.members) for model in models]
        self.learner_ = fitted[0][0] if len(fitted) == 1 else Ensemble([each for each, _ in fitted])
        self.history_ = pd.concat([table.assign(member=each) for each, (_, table) in enumerate(fitted)])
        self.n_features_in_ = 1
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _fit_member(self, model: Any, dataset: MoleculeDataset, seed: int) -> tuple[Predictor, pd.DataFrame]:
        learner = build(
            model,
            dataset=dataset,
            optimizer=self.optimizer,
            featurizer=self.featurizer,
            model_args=self.model_args,
            optimizer_args=self.optimizer_args,
            featurizer_args=self.featurizer_args,
            task_args=self.task_args,
            init=self.init,
            seed=seed,
            device=self.device,
        )
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "patience": self.patience}
        history = learner.fit(
            dataset,
            split=self._validation(model, dataset, seed),
            progress=bool(self.verbose) and None,
            **{**options, **self._training_options(), **(self.training_args or {})},
        )
        return learner, history.to_frame()

    def _training_options(self) -> dict[str, Any]:
        """More options of training."""
        return {}

    def _validation(self, model: Any, dataset: MoleculeDataset, seed: int) -> Split | None:
        """Cut off the validation part; `None` where the model has no use for one, or too little is there."""
        fraction = self.validation_fraction
        if not 0 <= fraction < 1:
            raise ValueError(f"validation_fraction={fraction}: give a share from 0 to below 1")
        if not self._needs_validation(model) or round(fraction * len(dataset)) < 1:
            return None
        try:
            return split_dataset(dataset, self.validation_split, seed=seed, fractions=(1 - fraction, fraction, 0.0))
        except DataError as error:
            warnings.warn(f"trained without a validation part: {error}", stacklevel=4)
            return None

    def _needs_validation(self, model: Any) -> bool:
        """Whether a validation part decides anything."""
        load_plugins()
        return not (isinstance(model, str) and model in MODELS and MODELS[model].facts.get("trains_itself"))

    def _values(self, X: Any) -> np.ndarray:
        """Predictions (n, T) or (n, T, C) of the learner.

        Raises:
            ValueError: A molecule that cannot be read or predicted.
        """
        check_is_fitted(self)
        if isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_"):
            self._check_names(X)
        found = self.learner_.predictions(smiles_of(X), on_invalid="raise")
        if found.failed.any():
            row = int(np.argmax(found.failed))
            raise ValueError(f"row {row} has no prediction: {found.reasons[row]}")
        return found.values.astype(np.float64)

    def _check_names(self, X: pd.DataFrame) -> None:
        if list(X.columns) != list(self.feature_names_in_):
            raise ValueError(f"X has column {list(X.columns)}, the training had {list(self.feature_names_in_)}")


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed: the number itself, or one that is drawn."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(MOST_SEEDS))


def labelled(smiles: list[str], columns: np.ndarray, names: list[str], weights: Any, **labels: Any) -> MoleculeDataset:
    """Make a data set of SMILES and labels.

    Raises:
        ValueError: A SMILES cannot be read, or weights do not fit.
    """
    read = load_data(pd.DataFrame({"smiles": smiles}), tasks=[], smiles_column="smiles", on_invalid="raise", name="X")
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float64)
        if weights.ndim == 0:
            weights = np.full(len(smiles), weights)
        if weights.ndim != 1:
            raise ValueError("Sample weights must be 1D array or scalar")
        if weights.shape != (len(smiles),):
            raise ValueError(f"sample_weight.shape == {weights.shape}, expected ({len(smiles)},)")
        if not weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
    return dataclasses.replace(read, targets=columns, task_names=tuple(names), metric="", weights=weights, **labels)
