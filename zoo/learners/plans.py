"""All options of a part, defaults written out: those it is to be built with, and those of a finished object."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from featurizers import Featurizer
from zoo.learners.building import building
from zoo.learners.reserved import SET_BY_FACTORY
from zoo.learners.signatures import constructor_options


@dataclass(frozen=True)
class Plan:
    """A class and all options that it is to be built with.

    Args:
        cls: The class; one with a `config_class` takes an object of that.
        options: By name, defaults written out.
        given: Those that were asked for.
    """

    cls: Any
    options: dict[str, Any]
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, target: Any, options: Mapping[str, Any]) -> Plan:
        """Write out the defaults of the options that are not given."""
        config = getattr(target, "config_class", None)
        given = {name: value for name, value in options.items() if name not in SET_BY_FACTORY}
        if config is not None:
            with building(getattr(target, "__name__", str(target)), given):
                return cls(target, configuration(config(**options)), given)
        defaults = constructor_options(target).items()
        return cls(target, {**{k: v for k, v in defaults if v is not inspect.Parameter.empty}, **options}, given)

    def make(self) -> Any:
        """Build the object."""
        config = getattr(self.cls, "config_class", None)
        with building(getattr(self.cls, "__name__", str(self.cls)), self.given):
            return self.cls(config(**self.options)) if config else self.cls(**self.options)


def configuration(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration."""
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def storable(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that JSON can hold; the others, such as functions, are left to the class's defaults."""
    kept = {}
    for name, value in options.items():
        try:
            kept[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            continue
    return kept


def chosen_options(part: Any, options: dict[str, Any] | None) -> dict[str, Any]:
    """Return those options of a finished object that a recipe would have to give for the same object."""
    defaults = constructor_options(type(part))
    return {
        name: value
        for name, value in (options or {}).items()
        if name not in SET_BY_FACTORY and value != storable({name: defaults.get(name)}).get(name)
    }


def options_of_ready(part: Any) -> dict[str, Any] | None:
    """Return the options that a finished object was built with; `None` where it does not keep them."""
    if isinstance(part, Featurizer):
        return storable(part.options)
    config = getattr(part, "config", None)
    kind = getattr(type(part), "config_class", None)
    return storable(configuration(config)) if kind is not None and isinstance(config, kind) else None
