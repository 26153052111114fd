"""Vectors of molecules and of their atoms, before the head of a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from featurizers import Featurizer, MoleculeGraph
from zoo.data.arrays import Float32
from zoo.layers.grover_encoder import Embeddings
from zoo.layers.joined_molecules import embed_all
from zoo.learners import evaluation
from zoo.learners.batches import prediction_loader
from zoo.learners.encoding import encode_chunks


def embed_function(model: nn.Module, name: str, source: str | None) -> Callable[[MoleculeGraph], Tensor]:
    """Return a model's function from a batch to vectors (B, D).

    Args:
        model: The model.
        name: Its name in the catalog.
        source: See `Learner.embed`.

    Raises:
        TypeError: The model has none, or none that knows sources.
    """
    embed = getattr(model, "embed", None)
    if embed is None:
        raise TypeError(f"model {name!r} gives no embedding: it has no method `embed(graph)`")
    if source is None:
        return partial(embed_all, model)
    if not name.startswith("grover"):
        raise TypeError(f"source={source!r}: only GROVER has vectors of atoms and bonds, this is a {name!r}")
    return partial(embed, source=source)


def embed_atoms(
    model: nn.Module, name: str, featurizer: Featurizer, molecules: object, batch_size: int | None, num_workers: int
) -> list[Float32]:
    """States of the atoms of each molecule, see `Learner.embed_atoms`."""
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise TypeError(f"model {name!r} has no part named encoder, so that atoms have no states")
    found: list[Float32] = []
    empty: list[int] = []
    for readable, packed, reasons in encode_chunks(featurizer, molecules, "nan", num_workers):
        rows: list[Float32 | None] = [None] * len(reasons)
        if packed is not None:
            loader = prediction_loader(model, featurizer, packed, batch_size)
            states = evaluation.run_model(model, loader, partial(atom_states, encoder)).numpy()
            ends = np.cumsum(packed.num_atoms)[:-1]
            for place, part in zip(readable, np.split(states, ends), strict=True):
                rows[place] = part
        empty += [len(found) + place for place, row in enumerate(rows) if row is None]
        found += [np.empty((0, 0), np.float32) if row is None else row for row in rows]
    width = next((row.shape[1] for row in found if len(row)), 0)
    for place in empty:
        found[place] = np.empty((0, width), np.float32)
    return found


def atom_states(encoder: nn.Module, molecules: MoleculeGraph) -> Tensor:
    """Return the states of the atoms (N, D) that an encoder gives.

    Raises:
        TypeError: It gives none.
    """
    found = getattr(encoder, "embed_atoms", encoder)(molecules)
    if isinstance(found, Embeddings):
        found = torch.cat([found.atom_from_atom, found.atom_from_bond], dim=1)
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != molecules.graph.num_nodes():
        raise TypeError(f"{type(encoder).__name__} gives no state for each atom")
    return found
