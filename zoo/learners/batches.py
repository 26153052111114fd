"""Batches of a prediction, as large as suits the model and the device."""

from __future__ import annotations

from torch import nn

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeLoader
from zoo.layers.dropping import dropping_modules

ON_CPU, ON_GPU, LARGEST = 32, 64, 512
ATOMS = 16_384
"""Atoms that a batch has at most, about: those of 512 molecules like drugs."""
PRODUCTS = 48_000_000
"""Multiplications that a layer takes for one row of each molecule of a batch, from which a larger one costs memory and
saves little: the products of wide layers are fast in any batch."""


def prediction_batch(model: nn.Module) -> int:
    """Molecules that a prediction takes at a time, unless it is told: those with which it is fastest.

    On a CPU 32, whose states stay in its caches. A model that computes atoms that look alike once (`shares_states`)
    takes up to 512, the fewer the wider it is: the more molecules, the more atoms that look alike. It does not where it
    drops values, as for the spread of predictions.
    """
    if next(model.parameters()).device.type != "cpu":
        return ON_GPU
    if not getattr(model, "shares_states", False) or any(part.training for part in dropping_modules(model)):
        return ON_CPU
    width: int = model.config.hidden_size  # type: ignore[union-attr, assignment]
    return max(ON_CPU, min(LARGEST, PRODUCTS // width**2))


def prediction_loader(
    model: nn.Module, featurizer: Featurizer, packed: PackedMolecules, batch_size: int | None
) -> MoleculeLoader:
    """Batches of featurized molecules; `None` takes `prediction_batch`, or fewer of large molecules."""
    if batch_size is None:
        fitting = ATOMS // max(1, round(float(packed.num_atoms.mean())) if len(packed) else 1)
        batch_size = max(ON_CPU, min(prediction_batch(model), fitting))
    return MoleculeLoader(packed, featurizer, batch_size=batch_size)
