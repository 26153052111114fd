"""Batches of a prediction, as large as suits the model and the device."""

from __future__ import annotations

from torch import nn

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeLoader

ON_CPU, ON_GPU, LARGEST = 32, 64, 512
NUMBERS = 100_000
"""Numbers that the states of an atom and all molecules of a batch would take together, were each of one atom."""


def prediction_batch(model: nn.Module) -> int:
    """Molecules that a prediction takes at a time, unless it is told: those with which it is fastest.

    On a CPU 32, whose states stay in its caches. A model that computes atoms that look alike once (`shares_states`)
    takes up to 512, the fewer the wider it is: the more molecules, the more atoms that look alike.
    """
    if next(model.parameters()).device.type != "cpu":
        return ON_GPU
    if not getattr(model, "shares_states", False):
        return ON_CPU
    width: int = model.config.hidden_size  # type: ignore[union-attr, assignment]
    return max(ON_CPU, min(LARGEST, NUMBERS // width))


def prediction_loader(
    model: nn.Module, featurizer: Featurizer, packed: PackedMolecules, batch_size: int | None
) -> MoleculeLoader:
    """Batches of featurized molecules; `None` takes `prediction_batch`."""
    return MoleculeLoader(packed, featurizer, batch_size=batch_size or prediction_batch(model))
