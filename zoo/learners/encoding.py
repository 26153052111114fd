"""Molecules to packed molecules, a chunk at a time, with the reasons why some cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np
from rdkit import Chem

from featurizers import Featurizer, InvalidMolecule, PackedMolecules
from featurizers.blas import one_blas_thread
from featurizers.packed import MoleculeArrays
from featurizers.reading import read_molecule
from zoo.data import MoleculeRows
from zoo.data.features import attach_features
from zoo.data.packing.processes import ordered_map
from zoo.learners.molecule_lists import CHUNK, in_chunks
from zoo.learners.own_features import report_missing

Encoded: TypeAlias = tuple[np.ndarray, PackedMolecules | None, list[str]]
"""Positions of the molecules that can be read; the packed molecules, `None` without any; why not, or "", of all."""

SHARED_CHUNK = 512
"""Molecules at a time where processes share the work."""


def encode_chunks(
    featurizer: Featurizer,
    molecules: Any,
    on_invalid: str,
    num_workers: int = 0,
    feature_names: tuple[str, ...] = (),
) -> Iterator[Encoded]:
    """Encode molecules in their order; arguments and errors as in `encode_chunks_for_all`."""
    for (encoded,) in encode_chunks_for_all([featurizer], molecules, on_invalid, num_workers, feature_names):
        yield encoded


def encode_chunks_for_all(
    featurizers: Sequence[Featurizer],
    molecules: Any,
    on_invalid: str,
    num_workers: int = 0,
    feature_names: tuple[str, ...] = (),
) -> Iterator[list[Encoded]]:
    """Encode molecules in their order with several featurizers, each molecule read once.

    Args:
        featurizers: Encode them.
        molecules: See `in_chunks`.
        on_invalid: "raise" ends at a molecule that cannot be read.
        num_workers: Processes that work ahead; 0 works in this one. A list of few molecules starts none.
        feature_names: Numbers that the learner reads next to them; the packed molecules carry these, not scaled yet.

    Returns:
        For each chunk what each featurizer gives.

    Raises:
        InvalidMolecule: See `on_invalid`.
    """
    of_chunk = partial(encode, featurizers, on_invalid)
    if num_workers == 0:
        yield from map(of_chunk, report_missing(in_chunks(molecules, CHUNK, feature_names), feature_names))
        return
    chunks = report_missing(in_chunks(molecules, SHARED_CHUNK, feature_names), feature_names)
    first = list(islice(chunks, CHUNK // SHARED_CHUNK))
    shared = len(first) > 2 and all(isinstance(molecule, str) for molecule in first[0].smiles)
    yield from ordered_map(of_chunk, chain(first, chunks), num_workers if shared else 0)


@one_blas_thread()
def encode(featurizers: Sequence[Featurizer], on_invalid: str, rows: MoleculeRows) -> list[Encoded]:
    """Encode what can be read, for each featurizer."""
    found: list[list[MoleculeArrays]] = [[] for _ in featurizers]
    positions: list[list[int]] = [[] for _ in featurizers]
    reasons = [[""] * len(rows) for _ in featurizers]
    for position, molecule in enumerate(rows.smiles):
        read: dict[bool, Chem.Mol | InvalidMolecule] = {}
        for number, featurizer in enumerate(featurizers):
            try:
                if why := rows.reasons.get(position):
                    raise InvalidMolecule(str(molecule), why)
                found[number].append(read_with(featurizer, molecule, read))
                positions[number].append(position)
            except InvalidMolecule as error:
                if on_invalid == "raise":
                    raise
                reasons[number][position] = error.reason
    return [
        (np.array(places, dtype=np.int64), pack(arrays, rows, places), why)
        for places, arrays, why in zip(positions, found, reasons, strict=True)
    ]


def pack(arrays: list[MoleculeArrays], rows: MoleculeRows, places: list[int]) -> PackedMolecules | None:
    """Pack encoded molecules with the features of their rows; `None` without any molecule."""
    if not arrays:
        return None
    return attach_features(PackedMolecules.pack(arrays), None if rows.features is None else rows.features[places])


def read_with(featurizer: Featurizer, molecule: Any, read: dict[bool, Chem.Mol | InvalidMolecule]) -> MoleculeArrays:
    """Encode a molecule; `read` keeps it, or why it cannot be read, for other featurizers, by their `as_written`."""
    if type(featurizer).read is not Featurizer.read or type(featurizer).parse is not Featurizer.parse:
        return featurizer.read(molecule)  # it reads in its own way
    if featurizer.as_written not in read:
        try:
            read[featurizer.as_written] = read_molecule(molecule, as_written=featurizer.as_written)
        except InvalidMolecule as error:
            read[featurizer.as_written] = error
    mol = read[featurizer.as_written]
    if isinstance(mol, InvalidMolecule):
        raise mol
    return featurizer.encode_prepared(featurizer.prepare(mol, molecule), molecule)
