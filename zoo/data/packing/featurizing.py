"""`featurize`: molecules to packed arrays, in memory or in a memory-mapped cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from featurizers import Featurizer, PackedMolecules
from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.features import attach_features
from zoo.data.packing.cache import build_store, open_store, store_key
from zoo.data.packing.encoding import EncodedChunk, encode_in_chunks
from zoo.data.packing.mapped_pages import MappedPages
from zoo.data.rows import InvalidRow


@dataclass(frozen=True)
class FeaturizedMolecules(PackedMolecules):
    """Packed molecules, and which of them could not be read.

    Args:
        invalid: Position, SMILES and reason of molecules that could not be read; they have 0 atoms.
    """

    invalid: tuple[InvalidRow, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_pages", MappedPages(list(self.arrays().values())))

    def take(self, indices: np.ndarray | Sequence[int]) -> PackedMolecules:
        """The molecules at `indices`, in that order, copied into memory."""
        taken = super().take(indices)
        pages: MappedPages = self._pages  # type: ignore[attr-defined]
        pages.note_use(len(taken))
        return taken

    @property
    def readable(self) -> np.ndarray:
        """Positions of the rows whose molecules could be read, for `MoleculeLoader(indices=)`."""
        return np.flatnonzero(np.min([self.num_atoms, *(partner.num_atoms for partner in self.partners)], axis=0))


def featurize(
    molecules: MoleculeDataset | Sequence[str],
    featurizer: Featurizer,
    *,
    num_workers: int = 0,
    progress: bool | None = False,
    cache_dir: str | os.PathLike[str] | None = None,
    on_invalid: str = "raise",
) -> FeaturizedMolecules:
    """Encode molecules, in their order.

    Args:
        molecules: A dataset, or SMILES (n).
        featurizer: Encodes them.
        num_workers: Processes; 0 works in this one.
        progress: Show a bar; `None` shows it on a terminal only.
        cache_dir: Keep the result in this folder, memory-mapped, and take it from there the next time: for the same
            molecules, featurizer, options and versions. `None` keeps it in memory only.
        on_invalid: `"raise"`, or `"empty"` to keep the place of a molecule that cannot be read with one of 0 atoms.

    Returns:
        n molecules; their arrays may not be written to.

    Raises:
        DataError: A molecule cannot be encoded, or none can; the cache folder cannot be written.

    Example:
        >>> from featurizers import GroverFeaturizer
        >>> featurize(["CCO", "c1ccccc1"], GroverFeaturizer()).num_atoms
        array([3, 6], dtype=int32)
    """
    if on_invalid not in ("raise", "empty"):
        raise DataError(f"on_invalid={on_invalid!r}: choose 'raise' or 'empty'")
    if isinstance(molecules, MoleculeDataset) and molecules.partners:
        options: dict[str, Any] = {
            "num_workers": num_workers,
            "progress": progress,
            "cache_dir": cache_dir,
            "on_invalid": on_invalid,
        }
        return _featurize_columns(molecules, partial(featurize, featurizer=featurizer, **options))
    smiles = molecules.smiles if isinstance(molecules, MoleculeDataset) else list(molecules)
    if not smiles:
        raise DataError("no molecules to featurize")
    chunks = encode_in_chunks(smiles, featurizer, num_workers=num_workers, progress=progress)
    if on_invalid == "raise":
        chunks = _stop_at_invalid(chunks, molecules)
    if cache_dir is None:
        arrays, invalid = _gather(chunks)
    else:
        arrays, invalid = _through_cache(Path(cache_dir).expanduser(), smiles, featurizer, chunks)
    if "atoms" not in arrays:
        raise DataError(f"none of {len(smiles)} molecules can be encoded (first: {smiles[0]!r}: {invalid[0].reason})")
    if on_invalid == "raise" and invalid:
        raise _unreadable(invalid[0], molecules)
    packed = FeaturizedMolecules.from_arrays(arrays, invalid=invalid)
    return attach_features(packed, molecules.features if isinstance(molecules, MoleculeDataset) else None)


def _featurize_columns(
    dataset: MoleculeDataset, encode: Callable[[MoleculeDataset], FeaturizedMolecules]
) -> FeaturizedMolecules:
    """Encode each column of molecules of a data set."""
    alone = replace(dataset, partners=(), smiles_columns=())
    packed = encode(alone)
    alone = replace(alone, features=None, feature_names=())
    partners = tuple(encode(replace(alone, smiles=column)) for column in dataset.partners)
    invalid = {entry.row: entry for each in (*partners[::-1], packed) for entry in each.invalid}
    return replace(packed, partners=partners, invalid=tuple(invalid[row] for row in sorted(invalid)))


def _gather(chunks: Iterable[EncodedChunk]) -> tuple[dict[str, np.ndarray], tuple[InvalidRow, ...]]:
    parts = list(chunks)
    names = max((part.arrays.keys() for part in parts), key=len)
    arrays = {name: np.concatenate([part.arrays[name] for part in parts if name in part.arrays]) for name in names}
    return arrays, tuple(entry for part in parts for entry in part.invalid)


def _through_cache(
    cache: Path, smiles: Sequence[str], featurizer: Featurizer, chunks: Iterable[EncodedChunk]
) -> tuple[dict[str, np.ndarray], tuple[InvalidRow, ...]]:
    """Return the cached codes of these molecules, built from `chunks` where there are none."""
    key = store_key(smiles, featurizer)
    folder = cache / f"{featurizer.name}-{key[:32]}"
    stored = open_store(folder, key)
    if stored is None:
        build_store(folder, key, chunks)
        stored = open_store(folder, key)
    if stored is None:
        raise DataError(f"cache {folder} was written but cannot be read back: check the disk, or use another")
    return stored


def _stop_at_invalid(chunks: Iterable[EncodedChunk], molecules: object) -> Iterator[EncodedChunk]:
    for chunk in chunks:
        if chunk.invalid:
            raise _unreadable(chunk.invalid[0], molecules)
        yield chunk


def _unreadable(entry: InvalidRow, molecules: object) -> DataError:
    where = f"molecule {entry.row}"
    if isinstance(molecules, MoleculeDataset):
        where = f"{molecules.name}: {molecules.where(entry.row)}"
    return DataError(
        f"{where}: {entry.smiles!r}: {entry.reason}: leave it out, or call featurize with on_invalid='empty'"
    )
