"""Search space of a tuning: one entry for each option, and the recipes of its values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import Recipe

if TYPE_CHECKING:
    from optuna import Trial

SECTIONS = ("model_args", "optimizer_args", "featurizer_args", "training")


@dataclass(frozen=True)
class Range:
    """Values that an option may take: either `choices`, or everything from `low` to `high`.

    Args:
        choices: Values to choose from.
        low: Smallest value; whole numbers where both ends are whole.
        high: Largest value.
        log: Draw on a logarithmic scale, for options such as the learning rate.
        step: Distance between neighbouring values.

    Raises:
        ValueError: Neither choices nor both ends, or ends in the wrong order.
    """

    choices: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        if self.choices is not None:
            object.__setattr__(self, "choices", tuple(self.choices))
        elif self.low is None or self.high is None:
            raise ValueError("a range needs choices, or low and high")
        elif not self.low < self.high:
            raise ValueError(f"low={self.low} is not below high={self.high}")
        elif self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"log needs low above 0 and no step, not low={self.low}, step={self.step}")

    def ends(self) -> tuple[Any, ...]:
        """All choices, or the two ends."""
        return self.choices if self.choices is not None else (self.low, self.high)

    def suggest(self, trial: Trial, name: str) -> Any:
        """The value that a trial tries."""
        if self.choices is not None:
            return trial.suggest_categorical(name, self.choices)
        assert self.low is not None
        assert self.high is not None
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, step=int(self.step or 1), log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)


def parse_space(values: Mapping[str, Any]) -> dict[str, Range]:
    """Ranges by option, from `{"optimizer_args.lr": {"low": 1e-4, "high": 1e-2}, ...}`; a list means choices.

    Raises:
        ValueError: An option outside of the sections that a recipe has, or a range that makes no sense.

    Example:
        >>> parse_space({"training.batch_size": [16, 32]})["training.batch_size"].choices
        (16, 32)
    """
    if not values:
        raise ValueError("search: name at least one option, such as optimizer_args.lr: {low: 0.0001, high: 0.01}")
    space = {}
    for name, value in values.items():
        section, dot, _ = str(name).partition(".")
        if section not in SECTIONS or not dot:
            raise ValueError(f"search: {name}: write it as SECTION.OPTION with one of {', '.join(SECTIONS)}")
        if not isinstance(value, (list, Mapping)):
            raise ValueError(f"search: {name}: give a list of choices, or low and high, not {value!r}")
        try:
            space[str(name)] = from_mapping(Range, {"choices": value} if isinstance(value, list) else value)
        except ValueError as error:
            raise ValueError(f"search: {name}: {error}") from error
    return space


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with other options, named as in the search.

    Example:
        >>> with_values(Recipe("grover"), {"model_args.hidden_size": 64}).model_args
        {'hidden_size': 64}
    """
    for name, value in values.items():
        section, _, option = name.partition(".")
        if section == "training":
            training = dataclasses.asdict(recipe.training or TrainingOptions())
            recipe = dataclasses.replace(recipe, training=from_mapping(TrainingOptions, {**training, option: value}))
        else:
            changed: dict[str, Any] = {section: {**getattr(recipe, section), option: value}}
            recipe = dataclasses.replace(recipe, **changed)
    return recipe
