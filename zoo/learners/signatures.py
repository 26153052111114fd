"""Options that a part accepts, and the error for others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import optim
from featurizers.recorded import constructor_parameters
from zoo.learners.reserved import SET_BY_TRAINING
from zoo.registry.suggest import suggest


def constructor_options(cls: Any) -> dict[str, Any]:
    """Options of a class (or function) with their defaults; `inspect.Parameter.empty` where there is none.

    A class with a `config_class` takes the fields of that dataclass. Otherwise the named parameters of the constructor
    count, and where it passes `**options` on, those of its base classes too.
    """
    config = getattr(cls, "config_class", None)
    if config is not None:
        return {f.name: f.default for f in dataclasses.fields(config)}
    return constructor_parameters(cls)


def optimizer_options(cls: Any, base: str = "adam") -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of an optimizer, and those of its base optimizer where it is a sharpness-aware rule.

    What the training loop sets (`TrainingOptions`) is left out.

    Args:
        cls: A torch optimizer, or a rule of `optim`.
        base: Name of the base optimizer of a rule.
    """
    own = {name: value for name, value in constructor_options(cls).items() if name not in ("params", "base")}
    if not issubclass(cls, optim.SharpnessAware):
        return own, {}
    fixed = cls.fixed_options  # what the class inherits and does not let change
    rule = {name: fixed.get(name, value) for name, value in own.items() if name not in SET_BY_TRAINING}
    return rule, optimizer_options(optim.resolve_base(base))[0]


def check_options(name: str, given: Mapping[str, Any], accepted: Iterable[str]) -> None:
    """Raise a `TypeError` that names the entry and its accepted options if `given` has another one."""
    accepted = sorted(accepted)
    for option in given:
        if option not in accepted:
            guess = suggest(option, accepted)
            raise TypeError(
                f"{name} has no option {option!r}.{guess} It accepts: {', '.join(accepted) or 'no options'}"
            )
