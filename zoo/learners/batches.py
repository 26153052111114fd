"""Batches of a prediction, as large as suits the model and the device."""

from __future__ import annotations

import numpy as np
from torch import nn

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeLoader
from zoo.layers.dropping import dropping_modules

ON_CPU, ON_GPU, LARGEST = 32, 64, 256
ATOMS = 8_192
"""Atoms that a batch of more than 32 molecules has at most: those of 256 molecules like drugs."""
PRODUCTS = 48_000_000
"""Multiplications that a layer takes for one row of each molecule of a batch, from which a larger one costs memory and
saves little: the products of wide layers are fast in any batch."""


def prediction_batch(model: nn.Module) -> int:
    """Molecules that a prediction takes at a time, unless it is told: those with which it is fastest.

    On a CPU 32, whose states stay in its caches. A model that computes atoms that look alike once (`shares_states`)
    takes up to 256, the fewer the wider it is: the more molecules, the more atoms that look alike. It does not where it
    drops values, as for the spread of predictions, nor where its predictions depend on the batch (`released_padding`).
    """
    if next(model.parameters()).device.type != "cpu":
        return ON_GPU
    config = getattr(model, "config", None)
    alone = not getattr(model, "shares_states", False) or getattr(config, "released_padding", False)
    if alone or any(part.training for part in dropping_modules(model)):
        return ON_CPU
    width: int = model.config.hidden_size  # type: ignore[union-attr, assignment]
    return max(ON_CPU, min(LARGEST, PRODUCTS // width**2))


def prediction_loader(
    model: nn.Module, featurizer: Featurizer, packed: PackedMolecules, batch_size: int | None
) -> MoleculeLoader:
    """Batches of featurized molecules; `None` takes `prediction_batch`, or fewer of large molecules."""
    if batch_size is None:
        batch_size = prediction_batch(model)
        while batch_size > ON_CPU and most_atoms(packed.num_atoms, batch_size) > ATOMS:
            batch_size = max(ON_CPU, batch_size // 2)
    return MoleculeLoader(packed, featurizer, batch_size=batch_size)


def most_atoms(num_atoms: np.ndarray, batch_size: int) -> int:
    """Atoms of the largest batch, given those of each molecule (n,)."""
    return int(np.add.reduceat(num_atoms, range(0, len(num_atoms), batch_size)).max(initial=0)) if len(num_atoms) else 0
