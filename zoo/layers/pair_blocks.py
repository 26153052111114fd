"""Attention over the atom pairs of a batch: what models need of its dense blocks."""

from __future__ import annotations

from torch import Tensor

from featurizers.molecule_graph import MoleculeGraph
from featurizers.pair_blocks import PairBlocks
from featurizers.pair_table import PairTable

__all__ = ["MASKED", "PairBlocks", "masked_mean", "require_pairs"]

MASKED = -1e30
"""Added to scores of padding: far below any score, and finite, so that rows of padding alone stay numbers."""


def require_pairs(molecules: MoleculeGraph, *names: str) -> PairTable:
    """The atom pairs of a batch.

    Args:
        molecules: The batch.
        names: Features that the pairs must have.

    Raises:
        ValueError: There are no pairs, or they lack a feature.
    """
    remedies = {"path": ", path_length=5", "walk": ", random_walks=21", "distance_3d": ", conformers=True"}
    if molecules.pairs is None or any(name not in molecules.pairs.edata for name in names):
        options = "pairs=True" + "".join(remedies.get(name, "") for name in names)
        raise ValueError(
            f"the model needs atom pairs that the batch does not have: build the featurizer with {options}"
        )
    return molecules.pairs


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that are there: (b, L, D) and (b, L) to (b, D)."""
    weights = mask.to(x.dtype).unsqueeze(2)
    return (x * weights).sum(1) / weights.sum(1)
