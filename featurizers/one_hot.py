"""Slots to one-hot columns, for a complete batch at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from rdkit.Chem.rdchem import BondType, HybridizationType

NO_SLOT = 255
"""The slot of a value that sets no column."""


def slots_of(values: Iterable[Hashable]) -> dict[Hashable, int]:
    """The place of each value in a list, for look-ups with a default."""
    return {value: slot for slot, value in enumerate(values)}


# Values that several sets of features list in this order.
HYBRIDIZATION_SLOTS = slots_of(
    [
        HybridizationType.SP,
        HybridizationType.SP2,
        HybridizationType.SP3,
        HybridizationType.SP3D,
        HybridizationType.SP3D2,
    ]
)
BOND_TYPE_SLOTS = slots_of([BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE, BondType.AROMATIC])


def set_one_hot(feats: np.ndarray, slots: np.ndarray, first_columns: np.ndarray) -> None:
    """Write 1 into one column of each group of each row.

    Args:
        feats: Features (n, F), C-contiguous and zero in these groups; changed in place.
        slots: Place within each group (n, K), uint8; `NO_SLOT` leaves the group zero.
        first_columns: First column of each group (K,).
    """
    rows = np.arange(len(feats), dtype=np.int64)[:, None] * feats.shape[1]
    places = rows + first_columns + slots
    feats.reshape(-1)[places[slots != NO_SLOT]] = 1.0


def set_flags(feats: np.ndarray, bytes_: np.ndarray, columns: slice) -> None:
    """Write the bits of one byte per row, lowest bit first.

    Args:
        feats: Features (n, F); changed in place.
        bytes_: One byte per row (n,), uint8.
        columns: The columns of the bits, at most 8.
    """
    width = columns.stop - columns.start
    feats[:, columns] = np.unpackbits(bytes_[:, None], axis=1, count=width, bitorder="little")
