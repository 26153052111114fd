"""`Recipe`: everything that was asked for, as plain data that is stored with every checkpoint and run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.start import StartOptions
from zoo.recipe.yaml_text import parse_mapping
from zoo.registry import kinds
from zoo.registry.catalog.models import own_featurizer
from zoo.registry.plugins import load_plugins

NO_OPTIMIZER = "none"
"""What recipes of models that train themselves name as their optimizer."""
LEARNED = ("task_names", "label_names", "target_scaling")
"""Fields that recipes had before `Fitted`; they are skipped where such a recipe is read."""


@dataclass(frozen=True)
class Recipe:
    """Request to `zoo.build` and `fit`; their outcome is in `Fitted`.

    Args:
        model: Name of the model, or `"package.module:Class"` of one that is not registered.
        optimizer: The same for the optimizer; "none" for models that train themselves, such as a random forest.
        featurizer: The same for the featurizer.
        num_tasks: T, at least 1; None takes as many as the data have.
        task: Kind of target: "classification" (two classes), "multiclass", "regression" or a registered one; None
            decides by the data, and is "classification" without any.
        task_args: Options of the kind of target, such as `{"num_classes": 4}`.
        smiles_columns: Columns of several molecules in a row; None takes those of the data (`data.smiles_columns`).
        own_encoders: Where a row has several molecules, an encoder for each column instead of one for all.
        feature_names: Numbers that the model reads next to the molecule; None takes those of the data
            (`data.feature_columns`).
        model_args: Options of the model.
        optimizer_args: Options of the optimizer: those of the rule and of its base optimizer together.
        featurizer_args: Options of the featurizer.
        seed: Of the initial weights, the order of the batches, dropout, and the split unless it has its own.
        data: Where the molecules come from; None leaves it to `fit`.
        training: How to train; None leaves it to `fit`.
        start: Weights to start from, and rates of the parts of the model; None starts with new weights.

    Example:
        >>> recipe = Recipe("grover", optimizer="graphsam")
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
    """

    model: str
    optimizer: str = "adam"
    featurizer: str = "grover"
    num_tasks: int | None = None
    task: str | None = None
    task_args: Mapping[str, Any] = field(default_factory=dict)
    smiles_columns: tuple[str, ...] | None = None
    own_encoders: bool = False
    feature_names: tuple[str, ...] | None = None
    model_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    data: DataOptions | None = None
    training: TrainingOptions | None = None
    start: StartOptions | None = None

    def __post_init__(self) -> None:
        if self.task is not None:
            kinds.check_task(self.task)
        if self.num_tasks is not None and self.num_tasks < 1:
            raise ValueError(f"num_tasks={self.num_tasks}: at least 1")
        for name in ("feature_names", "smiles_columns"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, tuple(getattr(self, name)) or None)
        for name, cls in (("data", DataOptions), ("training", TrainingOptions), ("start", StartOptions)):
            value = getattr(self, name)
            if isinstance(value, Mapping):
                object.__setattr__(self, name, from_mapping(cls, value))

    @property
    def asked_data(self) -> DataOptions:
        """Options of the data to load: `data`, or the default set, as the kind of target of the recipe.

        Raises:
            ValueError: `data` asks for another kind.

        Example:
            >>> Recipe("gcn", task="regression").asked_data.task
            'regression'
        """
        options = self.data or DataOptions()
        if self.task is None:
            return options
        if options.task is None:
            return dataclasses.replace(options, task=self.task)
        if not kinds.same_task(options.task, self.task):
            raise ValueError(
                f"the recipe asks for task={self.task!r} and its data for task={options.task!r}: leave one of them out"
            )
        return options

    def to_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The recipe as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            TypeError: A field that recipes do not have.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Build a recipe from its fields.

        Raises:
            TypeError: A field that recipes do not have.
        """
        return from_mapping(cls, {name: value for name, value in values.items() if name not in LEARNED})

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe file, JSON or YAML; one that names no featurizer takes the model's own.

        Raises:
            ValueError: The file is none, or a value is impossible; the message names file, field and remedy.
            TypeError: A field that recipes do not have, or a value of another type.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not a text file in UTF-8: a recipe is a YAML or JSON file") from error
        values = parse_mapping(text, str(path), "a recipe")
        if "model" not in values:
            raise ValueError(f"{path}: a recipe names its model: add a line such as `model: grover`")
        try:
            load_plugins()
            if values.get("featurizer") is None:
                values["featurizer"] = own_featurizer(str(values["model"]))
            return cls.from_dict(values)
        except TypeError as error:
            raise TypeError(f"{path}: {error}") from error
        except (ValueError, LookupError) as error:
            raise ValueError(f"{path}: {error}") from error
