"""The inputs of an exported model: the arrays of a batch, and what follows from them."""

from __future__ import annotations

import numpy as np

from featurizers import Featurizer, PackedMolecules
from featurizers.atom_pairs import pair_ends
from featurizers.packed import before, ranges


def model_inputs(featurizer: Featurizer, packed: PackedMolecules) -> dict[str, np.ndarray]:
    """Return every input that a model may have, by name.

    Args:
        featurizer: What encoded the molecules.
        packed: B molecules.

    Returns:
        The arrays of `featurizers.batch_arrays`, integers as int64, and: "molecule" and "place", the molecule of each
        atom and its place there (N,); "degree", the bonds of each atom (N,); "slots", 0, 1, ... up to the most atoms of
        a molecule (L,); with atom pairs "first" and "second", the atoms of each pair (P,), and "self_pair", the place
        of the pair of each atom with itself (N,).
    """
    arrays = featurizer.batch_arrays(packed)
    sizes = arrays["num_atoms"]
    starts = np.repeat(before(sizes), sizes)
    place = ranges(np.zeros_like(sizes), sizes)
    arrays |= {
        "molecule": np.repeat(np.arange(len(sizes), dtype=np.int64), sizes),
        "place": place,
        "degree": np.bincount(arrays["destination"], minlength=len(place)).astype(np.int64),
        "slots": np.arange(sizes.max(initial=0), dtype=np.int64),
    }
    if any(name.startswith("pairs.") for name in arrays):
        arrays["first"], arrays["second"] = pair_ends(sizes)
        per_atom = np.repeat(sizes, sizes)
        arrays["self_pair"] = before(per_atom) + np.arange(len(per_atom)) - starts
    return {name: array.astype(np.int64) if array.dtype.kind in "iu" else array for name, array in arrays.items()}
