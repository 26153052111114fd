"""Encoded molecules to one batched graph: the part of a featurizer that needs torch."""

from __future__ import annotations

import numpy as np
import torch

from featurizers.atom_pairs import AtomPairs
from featurizers.batched_graph import batched_graph
from featurizers.extra_arrays import ATOM_NUMBERS, at_level
from featurizers.molecule_graph import MoleculeGraph
from featurizers.packed import PackedMolecules


def collate(
    packed: PackedMolecules, atom_feats: np.ndarray, bond_feats: np.ndarray, atom_pairs: AtomPairs | None
) -> MoleculeGraph:
    """Make one batched graph of encoded molecules.

    Args:
        packed: B molecules.
        atom_feats: Features of their atoms (N, A), float32.
        bond_feats: Features of both directions of their bonds (E, F), float32.
        atom_pairs: What expands the codes of atom pairs; `None` leaves pairs out.
    """
    graph = batched_graph(
        packed.directed_edges(),
        packed.num_atoms,
        2 * packed.num_bonds,
        {"feat": torch.from_numpy(_with_numbers(atom_feats, packed)), **_tensors(packed, "atoms")},
        {"feat": torch.from_numpy(bond_feats), **_tensors(packed, "bonds", repeats=2)},
    )
    descriptors = None if packed.descriptors is None else torch.from_numpy(np.array(packed.descriptors))
    pairs = None if atom_pairs is None else atom_pairs.table(packed)
    if pairs is not None:
        pairs.edata.update(_tensors(packed, "pairs"))
    return MoleculeGraph(graph=graph, pairs=pairs, descriptors=descriptors, extra=_tensors(packed, "molecule"))


def _with_numbers(atom_feats: np.ndarray, packed: PackedMolecules) -> np.ndarray:
    """Features of atoms with the numbers behind them that the featurizer computes for each atom, if it does."""
    numbers = packed.extra.get(ATOM_NUMBERS)
    return atom_feats if numbers is None else np.concatenate([atom_feats, numbers], axis=1)


def _tensors(packed: PackedMolecules, level: str, repeats: int = 1) -> dict[str, torch.Tensor]:
    """Extra arrays of one level by name, each row `repeats` times."""
    return {
        name: torch.from_numpy(array.repeat(repeats, axis=0))
        for name, array in at_level(packed.extra, level).items()
        if f"{level}.{name}" != ATOM_NUMBERS
    }
