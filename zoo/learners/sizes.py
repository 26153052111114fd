"""Numbers of trainable parameters."""

from __future__ import annotations

from typing import Any

import torch

from zoo.learners.baselines import TaskEstimators
from zoo.learners.parts import make_featurizer, make_model
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog.models import own_featurizer
from zoo.registry.registry import Entry


def count_parameters(entry: Entry[Any]) -> int | None:
    """Trainable parameters of a model with default options and one task, without allocating them; trees have none."""
    if issubclass(entry.resolve(), TaskEstimators):
        return None
    recipe = Recipe(entry.name, featurizer=own_featurizer(entry.name))
    with torch.device("meta"):
        model = make_model(entry.name, recipe, make_featurizer(recipe.featurizer, recipe))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
