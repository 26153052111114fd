"""Advice for splits that leave a part empty, which works for the data at hand."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.data.dataset import MoleculeDataset
from zoo.registry.catalog import SPLITS

FEWEST = 10


def empty_parts(data: MoleculeDataset, label: str, empty: Sequence[str], fractions: Sequence[float]) -> str:
    """The remedy for a split that leaves parts empty.

    Args:
        data: What was cut.
        label: Name of the split, or of a file.
        empty: Names of the empty parts.
        fractions: Shares that were asked for.
    """
    if label == "column":
        return f"write {' and '.join(empty)} in some rows of the split column, or use another split"
    if label not in SPLITS:
        return "give every part at least one readable molecule"
    molecules = {text for text, good in zip(data.canonical_smiles, data.readable, strict=True) if good}
    if len(molecules) < FEWEST:
        return f"{len(molecules)} different molecules are too few to split, get at least {FEWEST} (better hundreds)"
    wanted = min(share for share in fractions if share > 0)
    if not label.endswith("kfold") and wanted * len(molecules) < 1:
        return f"{wanted:g} of {len(molecules)} molecules is less than one: give larger fractions="
    if label.startswith("scaffold"):
        groups = len(set(data.scaffolds))
        return (
            f"the {len(data)} molecules have {groups} scaffold(s), too few or too unequal to part: use split='random'"
        )
    if label == "random":
        return f"the {len(data)} rows are {len(molecules)} molecules, one of them in most rows: remove duplicates"
    return "its groups are too few or too unequal: use split='random'"
