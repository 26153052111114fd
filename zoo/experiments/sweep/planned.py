"""`PlannedRun`: one run that a specification means, and the key by which its results are found again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe

PLACES = ("data_dir", "cache_dir", "num_workers", "log_every", "checkpoint_every", "sharpness_every", "ascent_every")
OLD_DEFAULT_EPOCHS = 10  # left out of the keys of all results since the first ones


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Args:
        model: Key of the model in the specification.
        optimizer: Key of the optimizer; "none" for a model that trains itself.
        dataset: Key of the data set.
        recipe: What is trained.
        max_molecules: As in `DatasetChoice`.
        eigenvalue_molecules: Molecules on which the largest eigenvalue of the Hessian is estimated; None leaves it out.
    """

    model: str
    optimizer: str
    dataset: str
    recipe: Recipe
    max_molecules: int | None = None
    eigenvalue_molecules: int | None = None

    @property
    def seed(self) -> int:
        """Seed of the recipe."""
        return self.recipe.seed

    @property
    def label(self) -> str:
        """Name of the run for people."""
        return f"{self.dataset} {self.model} {self.optimizer} seed {self.seed}"

    @cached_property
    def key(self) -> str:
        """Names the run by what it does: equal for equal choices, whatever they are called and wherever the data lie.

        Options that have their default do not count, so that a new option does not make old results unknown.
        """
        chosen = changed_fields(self.recipe)
        if self.optimizer == NO_OPTIMIZER:
            chosen.pop("optimizer", None)
        for part in ("data", "training"):
            chosen[part] = {k: v for k, v in chosen.get(part, {}).items() if k not in PLACES}
        epochs = (self.recipe.training or TrainingOptions()).epochs
        if epochs == OLD_DEFAULT_EPOCHS:
            chosen["training"].pop("epochs", None)
        elif epochs is None:
            chosen["training"]["epochs"] = None
        if self.max_molecules is not None:
            chosen["max_molecules"] = self.max_molecules
        if self.eigenvalue_molecules is not None:
            chosen["eigenvalue_molecules"] = self.eigenvalue_molecules
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]

    def to_plan(self) -> dict[str, Any]:
        """Return the facts that the results keep of the run."""
        return {
            "run": self.key,
            "model": self.model,
            "optimizer": self.optimizer,
            "dataset": self.dataset,
            "seed": self.seed,
            "max_molecules": self.max_molecules,
        }


def changed_fields(options: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from their defaults, those of nested ones included."""
    found = {}
    for item in dataclasses.fields(options):
        value = getattr(options, item.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            found[item.name] = changed_fields(value)
        elif value != default_of(type(options), item):
            found[item.name] = value
    return found


def default_of(cls: type, item: dataclasses.Field) -> Any:
    """Return the default of a field as instances have it: one that stands for another value is resolved."""
    try:
        return getattr(cls(), item.name)
    except TypeError:  # a field without a default
        return item.default_factory() if callable(item.default_factory) else item.default
