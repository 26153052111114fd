"""Names of parts: their entries, their classes, and the names of classes and objects in recipes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from featurizers import Featurizer
from zoo.learners.baselines import TaskEstimators
from zoo.recipe.trust import UntrustedPlace, is_place
from zoo.registry.catalog import MODELS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Entry, Registry

Part = str | type | object
KINDS: dict[str, tuple[type, ...]] = {
    "model": (nn.Module, TaskEstimators),
    "optimizer": (torch.optim.Optimizer,),
    "featurizer": (Featurizer,),
}


def registered_facts(model: Part) -> Mapping[str, Any]:
    """Return the catalog's facts about the class of a model, if it is there."""
    name = name_of(model, MODELS)
    return MODELS[name].facts if name in MODELS else {}


def find(registry: Registry[Any], name: str) -> Entry[Any]:
    """Return the entry of a registered name.

    Raises:
        UnknownName: Nothing has this name.
        UntrustedPlace: It is the place of a class; see `locate`.
    """
    load_plugins()
    if is_place(name):
        raise UntrustedPlace(registry.kind, name)
    return registry[name]


def locate(registry: Registry[Any], part: Part, trust: bool) -> Part:
    """Replace the place of a class, `"package.module:Class"`, by the class; other parts are returned as they are.

    Args:
        registry: Where parts of this kind are.
        part: A name, a place, a class or a finished object.
        trust: The place comes from somebody whose code may run.

    Raises:
        UntrustedPlace: A place, and `trust` is false.
        ValueError: There is no such class, or it is of another kind.
    """
    if not isinstance(part, str) or not is_place(part):
        return part
    load_plugins()
    registered = registry.class_at(part)
    if registered is not None:
        return registered
    if not trust:
        raise UntrustedPlace(registry.kind, part)
    module, _, attribute = part.partition(":")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{registry.kind} {part!r} cannot be imported: {error}; install its package, or give the object itself"
        ) from error
    kinds = KINDS[registry.kind]
    if not (isinstance(target, type) and issubclass(target, kinds)):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{registry.kind} {part!r} is not a subclass of {wanted}: name one that is")
    return target


def name_of(part: Part, registry: Registry[Any]) -> str:
    """Return the name of a part in a recipe: its registered name, or the place of its class."""
    if isinstance(part, str):
        load_plugins()
        return part if is_place(part) else registry[part].name
    cls = part if isinstance(part, type) else type(part)
    for entry in registry:
        named_alike = not isinstance(entry.target, str) or entry.target.endswith(f":{cls.__name__}")
        if named_alike and not entry.defaults and entry.resolve() is cls:
            return entry.name
    return f"{cls.__module__}:{cls.__qualname__}"
