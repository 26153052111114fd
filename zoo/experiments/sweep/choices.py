"""Choices of a specification: models, optimizers and data sets with their options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from zoo.learners.baselines import TaskEstimators
from zoo.learners.names import find
from zoo.recipe.mapping import from_mapping
from zoo.recipe.trust import is_place
from zoo.registry.catalog import MODELS

C = TypeVar("C", "ModelChoice", "OptimizerChoice", "DatasetChoice")


@dataclass(frozen=True)
class ModelChoice:
    """One model of a sweep.

    Args:
        name: Catalog name; empty takes the key of the entry.
        args: Options of the model.
        featurizer: None takes the model's own.
        featurizer_args: Options of the featurizer.
        optimizer_args: Options for every optimizer that trains this model, such as `lr`.
        task_args: Options of the kind of target, such as {"loss": "mae"}; they override those of the data set.
        training: Training options for this model.
        optimizers: Keys of the optimizers that train it; None takes all of them.
        datasets: Keys of the data sets that it is trained on; None takes all of them.
    """

    name: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    featurizer: str | None = None
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    task_args: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    optimizers: Sequence[str] | None = None
    datasets: Sequence[str] | None = None

    @cached_property
    def trains_itself(self) -> bool:
        """Whether the model needs no optimizer, as a random forest; nothing is imported for a class that is named."""
        if is_place(self.name):
            return False
        target = find(MODELS, self.name).resolve()
        return isinstance(target, type) and issubclass(target, TaskEstimators)


@dataclass(frozen=True)
class OptimizerChoice:
    """One optimizer of a sweep.

    Args:
        name: Catalog name; empty takes the key of the entry.
        args: Options of the rule and of its base.
        task_args: Options of the kind of target where this optimizer trains; they override those of model and data set.
        training: Training options for this optimizer.
    """

    name: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    task_args: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetChoice:
    """One data set of a sweep.

    Args:
        name: What `zoo.data.load` takes; empty takes the key of the entry.
        options: Other fields of `zoo.recipe.recipe.DataOptions`, such as `split` or `tasks`.
        task_args: Options of its kind of target, such as {"loss": "mae"}.
        training: Training options for this data set.
        max_molecules: Draw this many molecules (always the same ones); None takes all.
    """

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    task_args: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    max_molecules: int | None = None


def choices(part: str, cls: type[C], values: Any) -> dict[str, C]:
    """Entries of one part of a specification; an entry without options may be a bare name."""
    if isinstance(values, (list, tuple)) and all(isinstance(name, str) for name in values):
        values = dict.fromkeys(values)
    if not isinstance(values, Mapping):
        raise ValueError(f"{part}: give names with their options below, or a list of names, not {values!r}")
    filled = {}
    for key, value in values.items():
        if isinstance(value, cls):
            choice = value
        elif value is None or isinstance(value, Mapping):
            choice = from_mapping(cls, value or {})
        else:
            raise ValueError(f"{part}: {key}: give a mapping of options or nothing, not {value!r}")
        filled[str(key)] = choice if choice.name else dataclasses.replace(choice, name=str(key))
    return filled
