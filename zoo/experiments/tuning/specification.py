"""`Tuning`: specification of a search for hyperparameters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.experiments.tuning.default_space import default_point, default_search
from zoo.experiments.tuning.search_space import Range, parse_space
from zoo.learners.factory import recipe_for
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.yaml_text import parse_mapping

# Fields that may change without making another search of it.
NOT_THE_SEARCH = ("name", "trials", "startup_trials", "defaults_first")


@dataclass(frozen=True)
class Tuning:
    """A specification of a search.

    Args:
        search: Options and their ranges, see `search_space.parse_space`.
        name: Of the study.
        model: Catalog name; likewise `optimizer` and `featurizer` (None takes the model's own).
        optimizer: See `model`.
        featurizer: See `model`.
        model_args: Options that stay as they are; likewise `optimizer_args` and `featurizer_args`.
        optimizer_args: See `model_args`.
        featurizer_args: See `model_args`.
        data: Fields of `zoo.recipe.DataOptions`.
        training: Fields of `zoo.recipe.TrainingOptions`.
        max_molecules: Draw this many molecules; None takes all.
        seeds: Every trial is trained with each; its value is the mean of their best validation metrics.
        trials: How many in all, over all processes and starts.
        startup_trials: Drawn at random and never pruned, before Optuna's sampler learns from them.
        sampler_seed: Seed of the sampler: with one process, the same trials are tried again.
        defaults_first: The first trial has the defaults of the searched options.

    Example:
        >>> tuning = Tuning.parse("search: {optimizer_args.lr: {low: 0.0001, high: 0.01, log: true}}")
        >>> tuning.recipe.model, tuning.space["optimizer_args.lr"].log
        ('grover', True)
    """

    search: Mapping[str, Any]
    name: str = "tuning"
    model: str = "grover"
    optimizer: str = "graphsam"
    featurizer: str | None = None
    model_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    max_molecules: int | None = None
    seeds: Sequence[int] = (0,)
    trials: int = 30
    startup_trials: int = 5
    sampler_seed: int = 0
    defaults_first: bool = False

    def __post_init__(self) -> None:
        for name in ("trials", "startup_trials"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give a whole number of at least 1")
        if not self.seeds:
            raise ValueError("seeds: name at least one")

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        *,
        featurizer: str | None = None,
        fixed: Collection[str] = (),
        trust: bool = False,
        **how: Any,
    ) -> Tuning:
        """Make the specification of a search through the default space of a recipe's model and optimizer.

        Args:
            recipe: Options that stay as they are.
            featurizer: As in the specification.
            fixed: Training options that are not searched, such as "training.batch_size".
            trust: As in `zoo.load`.
            **how: Other fields, such as `trials=30`, `data` and `training`.

        Raises:
            ValueError: Nothing is left to search.

        Example:
            >>> sorted(Tuning.of(Recipe("random_forest", optimizer="none")).search)
            ['model_args.max_features', 'model_args.min_leaf']
        """
        search = default_search(recipe, fixed, trust)
        parts: dict[str, Any] = {
            name: dict(getattr(recipe, name)) for name in ("model_args", "optimizer_args", "featurizer_args")
        }
        return cls(search, model=recipe.model, optimizer=recipe.optimizer, featurizer=featurizer, **parts, **how)

    @cached_property
    def first_trial(self) -> dict[str, Any]:
        """Values of the searched options that are their defaults: a search tries these first."""
        return default_point(self.recipe, self.search, trust=True) if self.defaults_first else {}

    @classmethod
    def parse(cls, text: str, name: str = "tuning") -> Tuning:
        """Read a specification from YAML.

        Raises:
            ValueError: No mapping, or one without `search`.
            TypeError: A field that specifications do not have.
        """
        values = parse_mapping(text, name, "a tuning")
        if "search" not in values:
            raise ValueError(f"{name}: a tuning is a mapping with `search:` and the options to search below it")
        return from_mapping(cls, {"name": name, **values})

    @classmethod
    def read(cls, path: str | Path) -> Tuning:
        """Read a specification file."""
        return cls.parse(Path(path).read_text(encoding="utf-8"), Path(path).stem)

    @cached_property
    def digest(self) -> str:
        """Key of the search: another one where the trials could not be compared with those of before."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in NOT_THE_SEARCH}
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:8]

    @cached_property
    def space(self) -> dict[str, Range]:
        """The ranges."""
        return parse_space(self.search)

    @cached_property
    def recipe(self) -> Recipe:
        """Recipe of the options that stay as they are."""
        recipe = recipe_for(
            self.model,
            self.optimizer,
            self.featurizer,
            model_args=self.model_args,
            optimizer_args=self.optimizer_args,
            featurizer_args=self.featurizer_args,
        )
        data, training = from_mapping(DataOptions, self.data), from_mapping(TrainingOptions, self.training)
        return dataclasses.replace(recipe, data=data, training=training)
