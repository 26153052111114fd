"""Numbers that a model reads next to a molecule: descriptors, features of the user, vectors of other molecules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from featurizers import Featurizer, MoleculeGraph, PackedMolecules
from zoo.layers.joined_head import join_to_head, reads_descriptors
from zoo.layers.joined_molecules import freeze_unused, join_molecules, joined_width
from zoo.learners.plans import Plan, storable
from zoo.recipe.recipe import Recipe


def side_size(recipe: Recipe, featurizer: Featurizer) -> int:
    """Numbers that a model gets next to a molecule: the featurizer's descriptors, then the user's own features."""
    return featurizer.descriptor_size + len(recipe.feature_names or ())


def require_descriptors_read(name: str, size: int, given: int) -> None:
    """Raise a `ValueError` unless a model reads as many numbers next to a molecule as there are."""
    if size != given:
        raise ValueError(
            f"{name} reads {size or 'no'} descriptors of a molecule and the featurizer (with the features that were "
            f"named) gives {given or 'none'}: build the featurizer with or without them, or a model with "
            f"descriptor_size={given}"
        )


def read_side_input(model: nn.Module, size: int, featurizer: Featurizer) -> None:
    """Let a model without an option for it read the numbers next to a molecule, unless it does so already."""
    batch = probe_batch(featurizer).to(next(model.parameters()).device)
    batch.descriptors = torch.zeros(1, size, device=batch.device)
    if not reads_descriptors(model, batch):
        join_to_head(model, size, batch)


def model_of_several(
    plan: Plan, model: nn.Module, recipe: Recipe, featurizer: Featurizer
) -> tuple[nn.Module, dict[str, Any]]:
    """Build a model that reads several molecules in a row; its options, as for JSON.

    Args:
        plan: Of the model for one molecule.
        model: That model.
        recipe: Names the columns.
        featurizer: Of all molecules.
    """
    batch, others = probe_batch(featurizer), len(recipe.smiles_columns or ()) - 1
    size = side_size(recipe, featurizer) + others * joined_width(model, batch)
    sized = "descriptor_size" in plan.options
    alone = {"descriptor_size": side_size(recipe, featurizer)} if sized else {}
    plan_alone = replace(plan, options={**plan.options, **alone})
    encoders = [freeze_unused(plan_alone.make(), batch) for _ in range(others if recipe.own_encoders else 0)]
    if sized:
        plan = replace(plan, options={**plan.options, "descriptor_size": size})
        model = plan.make()
    else:
        read_side_input(model, size, featurizer)
    join_molecules(model, encoders)
    return model, storable(plan.options)


def probe_batch(featurizer: Featurizer) -> MoleculeGraph:
    """Return a molecule with a ring, a branch and a double bond, to find out what a model does with it."""
    return featurizer.collate(PackedMolecules.pack([featurizer.read("CC(=O)Nc1ccccc1")]))
