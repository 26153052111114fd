"""Molecules to packed molecules, a chunk at a time, with the reasons why some cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

from featurizers import Featurizer, InvalidMolecule, PackedMolecules
from zoo.data.packing.processes import ordered_map
from zoo.learners.molecule_lists import CHUNK, in_chunks

Encoded: TypeAlias = tuple[np.ndarray, PackedMolecules | None, list[str]]
"""Positions of the molecules that can be read; the packed molecules, `None` without any; why not, or "", of all."""

SHARED_CHUNK = 512
"""Molecules at a time where processes share the work."""


def encode_chunks(featurizer: Featurizer, molecules: Any, on_invalid: str, num_workers: int = 0) -> Iterator[Encoded]:
    """Encode molecules in their order.

    Args:
        featurizer: Encodes them.
        molecules: See `in_chunks`.
        on_invalid: "raise" ends at a molecule that cannot be read.
        num_workers: Processes that work ahead; 0 works in this one. A list of few molecules starts none.

    Raises:
        InvalidMolecule: See `on_invalid`.
    """
    of_chunk = partial(encode, featurizer, on_invalid)
    if num_workers == 0:
        yield from map(of_chunk, in_chunks(molecules))
        return
    chunks = in_chunks(molecules, SHARED_CHUNK)
    first = list(islice(chunks, CHUNK // SHARED_CHUNK))
    shared = len(first) > 2 and all(isinstance(molecule, str) for molecule in first[0])
    yield from ordered_map(of_chunk, chain(first, chunks), num_workers if shared else 0)


def encode(featurizer: Featurizer, on_invalid: str, molecules: Sequence[Any]) -> Encoded:
    """Encode what can be read."""
    positions, found, reasons = [], [], [""] * len(molecules)
    for position, molecule in enumerate(molecules):
        try:
            found.append(featurizer.read(molecule))
            positions.append(position)
        except InvalidMolecule as error:
            if on_invalid == "raise":
                raise
            reasons[position] = error.reason
    return np.array(positions, dtype=np.int64), PackedMolecules.pack(found) if found else None, reasons
