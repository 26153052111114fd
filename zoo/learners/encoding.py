"""Molecules to packed molecules, a chunk at a time, with the reasons why some cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

from featurizers import Featurizer, InvalidMolecule, PackedMolecules
from featurizers.blas import one_blas_thread
from featurizers.together import EncodedMolecules, encode_together
from zoo.data import MoleculeRows
from zoo.data.features import attach_features
from zoo.data.packing.processes import ordered_map
from zoo.learners.molecule_lists import CHUNK, in_chunks
from zoo.learners.own_features import report_missing
from zoo.recipe.inputs import Inputs

Encoded: TypeAlias = tuple[np.ndarray, PackedMolecules | None, list[str]]
"""Positions of the molecules that can be read; the packed molecules, `None` without any; why not, or "", of all."""

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
    known = {place: InvalidMolecule(str(rows.smiles[place]), why) for place, why in rows.reasons.items()}
    columns = [
        encode_together(featurizers, ((place, each) for place, each in enumerate(column) if place not in known))
        for column in (rows.smiles, *rows.partners)
    ]
    by_featurizer = [list(encoded) for encoded in zip(*columns, strict=True)]
    failed = [known | failures(encoded, rows.columns) for encoded in by_featurizer]
    if on_invalid == "raise" and any(failed):
        first = min(place for each in failed for place in each)
        raise next(each[first] for each in failed if first in each)
    return [pack(encoded, why, rows) for encoded, why in zip(by_featurizer, failed, strict=True)]


def failures(encoded: Sequence[EncodedMolecules], names: tuple[str, ...]) -> dict[int, InvalidMolecule]:
    """Say why rows cannot be encoded, by place; where a row has several molecules, the reason names the column."""
    if len(encoded) == 1:
        return encoded[0].failed
    found: dict[int, InvalidMolecule] = {}
    for name, column in zip(names, encoded, strict=True):
        for place, error in column.failed.items():
            found.setdefault(place, InvalidMolecule(error.molecule, f"{name}: {error.reason}"))
    return found


def pack(encoded: Sequence[EncodedMolecules], failed: Mapping[int, InvalidMolecule], rows: MoleculeRows) -> Encoded:
    """Put the molecules of each row that can be encoded next to each other, with the features of the rows."""
    places = np.array([place for place in range(len(rows)) if place not in failed], dtype=np.int64)
    reasons = [failed[place].reason if place in failed else "" for place in range(len(rows))]
    if not len(places):
        return places, None, reasons
    columns = []
    for column in encoded:
        packed = column.packed
        assert packed is not None
        complete = len(column.places) == len(places)
        columns.append(packed if complete else packed.take(np.flatnonzero(np.isin(column.places, places))))
    first, *partners = columns
    first = replace(first, partners=tuple(partners)) if partners else first
    return places, attach_features(first, None if rows.features is None else rows.features[places]), reasons
