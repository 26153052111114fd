"""Replacing options of a recipe, as the command line does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.recipe.start import StartOptions
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS
from zoo.registry.catalog.models import own_featurizer
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Registry

PARTS: dict[str, Registry[Any]] = {"model": MODELS, "optimizer": OPTIMIZERS, "featurizer": FEATURIZERS}
SECTIONS: dict[str, Any] = {"data": DataOptions, "training": TrainingOptions, "start": StartOptions}


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return a recipe with other options; what is not named stays.

    Another model brings its own featurizer unless one is named. Other data or label columns decide the number of
    tasks, `data.task` decides the kind of target, and a split column is the split unless another split is named.

    Args:
        recipe: Where to start.
        changes: By name; the fields of `data`, `training` and `start` are mappings themselves.

    Raises:
        UnknownName: A part that is not in the catalog.
        TypeError: An option that recipes do not have.

    Example:
        >>> override(Recipe("grover", task="regression"), {"model": "gcn", "training": {"epochs": 3}}).featurizer
        'canonical'
    """
    load_plugins()
    changes = {name: catalog_name(name, value) for name, value in changes.items()}
    if "featurizer" in changes and changes["featurizer"] is None:
        changes["featurizer"] = own_featurizer(changes.get("model", recipe.model))
    elif "model" in changes:
        changes.setdefault("featurizer", featurizer_for(recipe, changes["model"]))
    if "model" in changes:
        changes["optimizer"] = optimizer_for(changes["model"], changes.get("optimizer", recipe.optimizer))
    data = dict(changes.get("data", {}))
    if "split_column" in data:
        data.setdefault("split", None)
    if data.keys() & {"source", "tasks"}:
        changes.setdefault("num_tasks", None)
    if data.keys() & {"source", "feature_columns"}:
        changes.setdefault("feature_names", None)
    if data.keys() & {"source", "smiles_columns"}:
        changes.setdefault("smiles_columns", None)
    if data.get("task") is not None:
        changes.setdefault("task", None)
    for section, cls in SECTIONS.items():
        if section in changes:
            given = data if section == "data" else dict(changes[section])
            changes[section] = dataclasses.replace(getattr(recipe, section) or cls(), **given)
    return dataclasses.replace(recipe, **changes)


def catalog_name(field: str, value: Any) -> Any:
    """Return the name that the catalog has for a part; places of classes and other fields stay as they are."""
    if field not in PARTS or value in (None, NO_OPTIMIZER) or ":" in value:
        return value
    return PARTS[field][value].name


def optimizer_for(model: str, optimizer: str) -> str:
    """Return the optimizer that a model is trained with: none for one that trains itself, else the one asked for."""
    if model in MODELS and MODELS[model].facts.get("trains_itself"):
        return NO_OPTIMIZER
    return Recipe.optimizer if optimizer == NO_OPTIMIZER else optimizer


def featurizer_for(recipe: Recipe, model: str) -> str:
    """Return the featurizer of another model: its own, unless the recipe pairs its model with one of choice."""
    chosen = recipe.featurizer != own_featurizer(recipe.model)
    return recipe.featurizer if chosen else own_featurizer(model)
