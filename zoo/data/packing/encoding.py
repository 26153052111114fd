"""Encodes molecules chunk by chunk, in this process or in several, always in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from tqdm import tqdm

from featurizers import Featurizer
from featurizers.blas import one_blas_thread
from featurizers.together import encode_together
from zoo.data.packing.processes import ordered_map
from zoo.data.rows import InvalidRow

CHUNK_SIZE = 512
PER_MOLECULE = ("num_", "descriptors", "extra.molecule.")


@dataclass(frozen=True)
class EncodedChunk:
    """Some molecules one after another.

    Args:
        arrays: The arrays of `PackedMolecules` by name; a molecule that cannot be read has 0 atoms. Without any
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
    with one_blas_thread():
        (encoded,) = encode_together([featurizer], enumerate(smiles))
    invalid = tuple(
        InvalidRow(start + place, smiles[place], encoded.failed[place].reason) for place in sorted(encoded.failed)
    )
    packed = encoded.packed
    if packed is None:
        counts = {name: np.zeros(len(smiles), dtype=np.int32) for name in ("num_atoms", "num_bonds")}
        return EncodedChunk(counts, invalid)
    arrays = packed.arrays()
    for name, array in arrays.items():
        if name.startswith(PER_MOLECULE):
            arrays[name] = _with_gaps(array, encoded.places, len(smiles))
    return EncodedChunk(arrays, invalid)


def _with_gaps(rows: np.ndarray, places: Sequence[int], length: int) -> np.ndarray:
    """Rows at their places among others: NaN, or 0 where the type has none."""
    gap = np.nan if rows.dtype.kind == "f" else 0
    result = np.full((length, *rows.shape[1:]), gap, dtype=rows.dtype)
    result[list(places)] = rows
    return result


def _align(chunks: Iterable[EncodedChunk]) -> Iterator[EncodedChunk]:
    """Give chunks without a readable molecule their rows too, as wide as those of the first chunk that has one."""
    known: dict[str, np.ndarray] = {}
    early: list[EncodedChunk] = []
    for chunk in chunks:
        if "atoms" in chunk.arrays and not known:
            known = {name: array[:0] for name, array in chunk.arrays.items() if name.startswith(PER_MOLECULE)}
            yield from (_without_molecules(other, known) for other in early)
            early = []
        if "atoms" in chunk.arrays:
            yield chunk
        elif known:
            yield _without_molecules(chunk, known)
        else:
            early.append(chunk)
    yield from early


def _without_molecules(chunk: EncodedChunk, known: dict[str, np.ndarray]) -> EncodedChunk:
    gaps = {name: _with_gaps(rows, [], len(chunk)) for name, rows in known.items()}
    return EncodedChunk(gaps | chunk.arrays, chunk.invalid)


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
        for chunk in _align(ordered_map(partial(encode_chunk, featurizer), chunks, num_workers)):
            yield chunk
            bar.update(len(chunk))
