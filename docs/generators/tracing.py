"""Sizes in a model: shapes of what its modules return for a molecule, and their numbers of weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.learners.parts import make_featurizer, make_model
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog.models import own_featurizer

MOLECULE = "CC(=O)Oc1ccccc1C(=O)O"  # 13 atoms, a number that no model has as a width
PAIR_NAMES = {
    "distance": "distances in bonds",
    "distance_3d": "distances in a conformer",
    "bond": "bonds",
    "path": "bonds of shortest paths",
    "walk": "random walks",
}


@dataclass(frozen=True)
class Trace:
    """A model as one molecule passes through it.

    Args:
        cls: Name of its class.
        options: Values of its options, with `pairs`, what pairs of atoms come with, and `featurizer`.
        shapes: Shape of what a module returns, as text such as "N × 128", by its path.
        weights: Number of weights of a module, by its path.
    """

    cls: str
    options: dict[str, Any]
    shapes: dict[str, str]
    weights: dict[str, int]


@functools.cache
@torch.no_grad()
def trace_model(name: str) -> Trace:
    """Trace a model of the catalog with its default options and one task."""
    recipe = Recipe(name, featurizer=own_featurizer(name))
    featurizer = make_featurizer(recipe.featurizer, recipe)
    model = make_model(name, recipe, featurizer).eval()
    graph = featurizer(MOLECULE)
    N, E = graph.atom_feats.shape[0], graph.bond_feats.shape[0]
    letters = {N: "N", E: "E", N * N: "P", 1: "B"}
    shapes: dict[str, str] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, __, output, path=path: record(shapes, path, output, N, letters))
    model(graph)
    shapes |= {"@atoms": f"N × {graph.atom_feats.shape[1]}", "@bonds": f"E × {graph.bond_feats.shape[1]}"}
    shapes |= {"@scores": "B × tasks", "@pairs": "P"}
    record(shapes, "@pooled", model.embed(graph), N, letters)
    pairs = [] if graph.pairs is None else [PAIR_NAMES[key] for key in graph.pairs.edata if key in PAIR_NAMES]
    weights = {path: count_weights(module) for path, module in model.named_modules()}
    return Trace(
        type(model).__name__,
        {**vars(model.config), "pairs": ", ".join(pairs), "featurizer": recipe.featurizer},
        shapes,
        weights,
    )


def count_weights(module: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def record(shapes: dict[str, str], path: str, output: Any, N: int, letters: dict[int, str]) -> None:
    """Keep the shape of a module's first output."""
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        output = output[0]
    if not isinstance(output, Tensor) or path in shapes:
        return
    sizes = list(output.shape)
    if len(sizes) > 2 and sizes[0] == 1:  # dense blocks of molecules; tokens are the atoms, and virtual ones
        names = ["B", *("L" if size in (N, N + 1) else str(size) for size in sizes[1:])]
    else:
        names = [letters.get(sizes[0], str(sizes[0])), *map(str, sizes[1:])]
    shapes[path] = " × ".join(names)
