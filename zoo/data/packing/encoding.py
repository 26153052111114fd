"""Encodes molecules chunk by chunk, in this process or in several, always in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from rdkit import rdBase
from tqdm import tqdm

from featurizers import Featurizer, InvalidMolecule, PackedMolecules
from zoo.data.dataset import InvalidRow
from zoo.data.packing.processes import ordered_map

CHUNK_SIZE = 512
ROW_ARRAYS = ("atoms", "bonds", "bond_ends", "pairs")


@dataclass(frozen=True)
class EncodedChunk:
    """Some molecules one after another.

    Args:
        arrays: The fields of `PackedMolecules` by name; a molecule that cannot be read has 0 atoms. Without any
            readable molecule only the counts are there, as nothing tells how wide the others are.
        invalid: Those that cannot be read.
    """

    arrays: dict[str, np.ndarray]
    invalid: tuple[InvalidRow, ...]

    def __len__(self) -> int:
        return len(self.arrays["num_atoms"])


def encode_chunk(featurizer: Featurizer, chunk: tuple[int, Sequence[str]]) -> EncodedChunk:
    """Encode the molecules of one chunk: the number of the first, and the SMILES."""
    start, smiles = chunk
    encoded, readable, invalid = [], [], []
    with rdBase.BlockLogs():  # what cannot be read is reported by row; the rest would fill the screen
        for position, text in enumerate(smiles):
            try:
                encoded.append(featurizer.read(text))
                readable.append(position)
            except InvalidMolecule as error:
                invalid.append(InvalidRow(start + position, text, error.reason))
    counts = {name: np.zeros(len(smiles), dtype=np.int32) for name in ("num_atoms", "num_bonds")}
    if not encoded:
        return EncodedChunk(counts, tuple(invalid))
    packed = PackedMolecules.pack(encoded)
    counts["num_atoms"][readable] = packed.num_atoms
    counts["num_bonds"][readable] = packed.num_bonds
    arrays = {name: array for name in ROW_ARRAYS if (array := getattr(packed, name)) is not None}
    if packed.descriptors is not None:
        width = packed.descriptors.shape[1]
        arrays["descriptors"] = np.full((len(smiles), width), np.nan, dtype=packed.descriptors.dtype)
        arrays["descriptors"][readable] = packed.descriptors
    return EncodedChunk(counts | arrays, tuple(invalid))


def encode_in_chunks(
    smiles: Sequence[str], featurizer: Featurizer, *, num_workers: int = 0, progress: bool | None = False
) -> Iterator[EncodedChunk]:
    """Encode all molecules; only a few chunks are in memory at a time.

    Args:
        smiles: n molecules.
        featurizer: Encodes them; with workers it must be picklable.
        num_workers: Processes; 0 works in this one.
        progress: Show a bar; `None` shows it on a terminal only.
    """
    chunks = ((i, smiles[i : i + CHUNK_SIZE]) for i in range(0, len(smiles), CHUNK_SIZE))
    hidden = None if progress is None else not progress
    with tqdm(total=len(smiles), desc="featurize", unit="mol", disable=hidden) as bar:
        for chunk in ordered_map(partial(encode_chunk, featurizer), chunks, num_workers):
            yield chunk
            bar.update(len(chunk))
