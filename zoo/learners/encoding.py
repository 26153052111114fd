"""Molecules to packed molecules, a chunk at a time, with the reasons why some cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from zoo.recipe.inputs import Inputs

Encoded: TypeAlias = tuple[np.ndarray, PackedMolecules | None, list[str]]
"""Positions of the molecules that can be read; the packed molecules, `None` without any; why not, or "", of all."""

Read: TypeAlias = dict[bool, Chem.Mol | InvalidMolecule]
"""A molecule, or why it cannot be read, by `as_written` of the featurizer."""
NO_INPUTS = Inputs()

SHARED_CHUNK = 512
"""Molecules at a time where processes share the work."""


def encode_chunks(
    featurizer: Featurizer,
    molecules: Any,
    on_invalid: str,
    num_workers: int = 0,
    inputs: Inputs = NO_INPUTS,
) -> Iterator[Encoded]:
    """Encode molecules in their order; arguments and errors as in `encode_chunks_for_all`."""
    for (encoded,) in encode_chunks_for_all([featurizer], molecules, on_invalid, num_workers, inputs):
        yield encoded


def encode_chunks_for_all(
    featurizers: Sequence[Featurizer],
    molecules: Any,
    on_invalid: str,
    num_workers: int = 0,
    inputs: Inputs = NO_INPUTS,
) -> Iterator[list[Encoded]]:
    """Encode molecules in their order with several featurizers, each molecule read once.

    Args:
        featurizers: Encode them.
        molecules: See `in_chunks`.
        on_invalid: "raise" ends at a molecule that cannot be read.
        num_workers: Processes that work ahead; 0 works in this one. A list of few molecules starts none.
        inputs: Columns that the learner reads; the packed molecules carry its features, not scaled yet.

    Returns:
        For each chunk what each featurizer gives.

    Raises:
        InvalidMolecule: See `on_invalid`.
    """
    of_chunk = partial(encode, featurizers, on_invalid)
    if num_workers == 0:
        yield from map(of_chunk, report_missing(in_chunks(molecules, CHUNK, inputs), inputs.features))
        return
    chunks = report_missing(in_chunks(molecules, SHARED_CHUNK, inputs), inputs.features)
    first = list(islice(chunks, CHUNK // SHARED_CHUNK))
    shared = len(first) > 2 and all(isinstance(molecule, str) for molecule in first[0].smiles)
    yield from ordered_map(of_chunk, chain(first, chunks), num_workers if shared else 0)


@one_blas_thread()
def encode(featurizers: Sequence[Featurizer], on_invalid: str, rows: MoleculeRows) -> list[Encoded]:
    """Encode what can be read, for each featurizer; of a row with several molecules, all of them."""
    found: list[list[list[MoleculeArrays]]] = [[] for _ in featurizers]
    positions: list[list[int]] = [[] for _ in featurizers]
    reasons = [[""] * len(rows) for _ in featurizers]
    for position, molecules in enumerate(zip(rows.smiles, *rows.partners, strict=True)):
        read: list[Read] = [{} for _ in molecules]
        for number, featurizer in enumerate(featurizers):
            try:
                if why := rows.reasons.get(position):
                    raise InvalidMolecule(str(molecules[0]), why)
                found[number].append(read_row(featurizer, molecules, read, rows.columns))
                positions[number].append(position)
            except InvalidMolecule as error:
                if on_invalid == "raise":
                    raise
                reasons[number][position] = error.reason
    return [
        (np.array(places, dtype=np.int64), pack(arrays, rows, places), why)
        for places, arrays, why in zip(positions, found, reasons, strict=True)
    ]


def pack(arrays: list[list[MoleculeArrays]], rows: MoleculeRows, places: list[int]) -> PackedMolecules | None:
    """Pack encoded rows, each with all of its molecules, and their features; `None` without any row."""
    if not arrays:
        return None
    packed, *partners = (PackedMolecules.pack(column) for column in zip(*arrays, strict=True))
    packed = replace(packed, partners=tuple(partners)) if partners else packed
    return attach_features(packed, None if rows.features is None else rows.features[places])


def read_row(
    featurizer: Featurizer, molecules: Sequence[Any], read: list[Read], columns: tuple[str, ...]
) -> list[MoleculeArrays]:
    """Encode the molecules of a row; where there are several, the reason names the column."""
    if len(molecules) == 1:
        return [read_with(featurizer, molecules[0], read[0])]
    found = []
    for place, (molecule, known) in enumerate(zip(molecules, read, strict=True)):
        try:
            found.append(read_with(featurizer, molecule, known))
        except InvalidMolecule as error:
            raise InvalidMolecule(error.molecule, f"{columns[place]}: {error.reason}") from error
    return found


def read_with(featurizer: Featurizer, molecule: Any, read: Read) -> MoleculeArrays:
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
