"""`Fitted`: the outcome of building and training, next to the request."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.recipe.inputs import Inputs
from zoo.recipe.mapping import from_mapping
from zoo.recipe.recipe import LEARNED
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES


@dataclass(frozen=True)
class Fitted:
    """Outcome of building and training: parts, tasks, words and scaling; checkpoints hold it next to the recipe.

    Args:
        num_tasks: T, at least 1.
        task: Kind of target.
        task_args: Options of the kind of target.
        model: All options of the model, defaults written out; None in checkpoints written before these were kept.
        featurizer: All options of the featurizer, as `model`.
        task_names: Names of the T tasks; empty before training.
        smiles_columns: Columns of molecules (K), where a row has several; else empty.
        feature_names: Numbers that the model reads next to a molecule (F), in their order.
        feature_scaling: Names, mean and standard deviation of these numbers in training; None before it.
        label_names: Words of the classes, for tasks whose labels are words or have more than two classes.
        target_scaling: Mean, deviation and transforms of the training targets; None where they are not scaled.
        loss_weights: Weights of tasks and classes in the loss, see `zoo.tasks.Weighting`; None where all are 1.
        thresholds: Probability from which a molecule is counted to class 1, by task; 0.5 for tasks that are not named.
        calibration: What was fitted on the validation part to correct uncertainties, see `zoo.trust`.
        untrained: Parts of the model whose weights are initial ones, such as ("head",) where only a pre-trained encoder
            was imported; such a learner embeds and is fine-tuned, and does not predict.
        ranks: Processes that trained it together, on whose number m-sharpness depends (`skip_first_sync`); None before
            training, and in checkpoints written before this was kept.

    Example:
        >>> fitted = Fitted(2, "regression", task_names=("a", "b"))
        >>> Fitted.from_json(fitted.to_json()) == fitted
        True
    """

    num_tasks: int
    task: str
    task_args: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] | None = None
    featurizer: Mapping[str, Any] | None = None
    task_names: tuple[str, ...] = ()
    smiles_columns: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    feature_scaling: Mapping[str, Any] | None = None
    label_names: Mapping[str, Any] = field(default_factory=dict)
    target_scaling: Mapping[str, Any] | None = None
    loss_weights: Mapping[str, Any] | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    untrained: tuple[str, ...] = ()
    ranks: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "task_names", tuple(self.task_names))
        object.__setattr__(self, "untrained", tuple(self.untrained))
        object.__setattr__(self, "feature_names", tuple(self.feature_names))
        object.__setattr__(self, "smiles_columns", tuple(self.smiles_columns))

    @property
    def inputs(self) -> Inputs:
        """Columns that the learner reads in every row."""
        return Inputs(self.feature_names, self.smiles_columns)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the T tasks, numbered where training has named none."""
        return self.task_names or tuple(f"task_{number}" for number in range(self.num_tasks))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the numbers that a prediction consists of: the tasks, or with C classes `task_class`."""
        classes, names = self.task_args.get("num_classes", 0), []
        for task, kind in zip(self.output_names, self.kind_by_task, strict=True):
            if not classes or (self.task_kinds and kinds.labels_of(kind) != CLASSES):
                names.append(task)
                continue
            words = list(self.label_names.get(task, ()))
            names += [f"{task}_{word}" for word in (*words, *map(str, range(len(words), classes)))]
        return tuple(names)

    @property
    def task_kinds(self) -> tuple[str, ...]:
        """Kind of each task (T) where they are of several kinds, else empty."""
        return tuple(self.task_args.get("kinds", ()))

    @property
    def kind_by_task(self) -> tuple[str, ...]:
        """Kind of each task (T)."""
        return self.task_kinds or (self.task,) * self.num_tasks

    def require_trained(self) -> None:
        """Raise a `ValueError` where a part of the model has its initial weights, so that predictions mean nothing."""
        if self.untrained:
            raise ValueError(
                f"this checkpoint has no trained {' and '.join(self.untrained)}, so that it cannot predict: train it "
                "on your data (`molzoo train --init FOLDER`), or use its embeddings (`molzoo embed FOLDER FILE`)"
            )

    def to_json(self) -> str:
        """Return JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Fitted:
        """Read what `to_json` wrote.

        Raises:
            TypeError: A field that does not exist.
        """
        return from_mapping(cls, json.loads(text))

    @classmethod
    def from_recipe(cls, values: Mapping[str, Any]) -> Fitted:
        """Read what recipes once held themselves: names, words and scaling, but no configurations.

        Args:
            values: Fields of the recipe.
        """
        learned = {name: values[name] for name in LEARNED if values.get(name) is not None}
        return cls(values.get("num_tasks", 1), values.get("task", "classification"), **learned)
