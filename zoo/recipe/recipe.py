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
from zoo.registry import kinds

NO_OPTIMIZER = "none"
"""What recipes of models that train themselves name as their optimizer."""
LEARNED = ("task_names", "label_names", "target_scaling")
"""Fields that recipes had before `Fitted`; they are skipped where such a recipe is read."""


@dataclass(frozen=True)
class Recipe:
    """What `zoo.build` and `fit` were asked for; what they found is in `Fitted`.

    Args:
        model: Name of the model, or `"package.module:Class"` of one that is not registered.
        optimizer: The same for the optimizer; "none" for models that train themselves, such as a random forest.
        featurizer: The same for the featurizer.
        num_tasks: T, at least 1.
        task: Kind of target: "classification" (two classes), "multiclass", "regression" or a registered one.
        task_args: Options of the kind of target, such as `{"num_classes": 4}`.
        model_args: Options of the model; likewise `optimizer_args`, `featurizer_args`.
        seed: Of the initial weights, the order of the batches, dropout, and the split unless it has its own.
        data: Where the molecules come from; None leaves it to `fit`.
        training: How to train; None leaves it to `fit`.

    Example:
        >>> recipe = Recipe("grover", optimizer="graphsam")
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
    """

    model: str
    optimizer: str = "adam"
    featurizer: str = "grover"
    num_tasks: int = 1
    task: str = "classification"
    task_args: Mapping[str, Any] = field(default_factory=dict)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    data: DataOptions | None = None
    training: TrainingOptions | None = None

    def __post_init__(self) -> None:
        kinds.check_task(self.task)
        if self.num_tasks < 1:
            raise ValueError(f"num_tasks={self.num_tasks}: at least 1")
        for name, cls in (("data", DataOptions), ("training", TrainingOptions)):
            value = getattr(self, name)
            if isinstance(value, Mapping):
                object.__setattr__(self, name, from_mapping(cls, value))

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
        """Read a recipe file, JSON or YAML."""
        import yaml

        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if not isinstance(values, Mapping):
            raise ValueError(f"{path}: a recipe is a mapping of fields to values, this is {type(values).__name__}")
        return cls.from_dict(values)
