"""Named arrays next to the codes of a molecule: what each has a row for, and how rows are joined and cut."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

NAME = re.compile(r"(atoms|bonds|pairs|molecule)\.[a-z][a-z0-9_]*")
PREFIX = "extra."
ATOM_NUMBERS = "atoms.own_numbers"
"""Name of the numbers that stand behind the features of atoms."""


def level_of(name: str) -> str:
    """Return what an array has a row for: "atoms.charges" for atoms.

    Raises:
        ValueError: The name says nothing of it.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"extra array {name!r}: call it atoms.x, bonds.x, pairs.x or molecule.x, x in lower case")
    return name.partition(".")[0]


def check_rows(extra: Mapping[str, np.ndarray], num_atoms: int, num_bonds: int) -> None:
    """Refuse arrays of one molecule that have another number of rows than their names say.

    Raises:
        ValueError: An array does not fit, or its name says nothing.
    """
    rows = {"atoms": num_atoms, "bonds": num_bonds, "pairs": num_atoms**2}
    for name, array in extra.items():
        expected = rows.get(level_of(name))
        if expected is not None and len(array) != expected:
            raise ValueError(f"extra array {name!r} has {len(array)} rows: {expected} are needed")


def join(molecules: list[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of many molecules one after another; those of whole molecules become rows.

    Raises:
        ValueError: Molecules have other arrays than the first.
    """
    if any(extra.keys() != molecules[0].keys() for extra in molecules):
        raise ValueError("a featurizer must give every molecule the same extra arrays")
    return {
        name: (np.stack if level_of(name) == "molecule" else np.concatenate)([extra[name] for extra in molecules])
        for name in molecules[0]
    }


def at_level(extra: Mapping[str, np.ndarray], level: str) -> dict[str, np.ndarray]:
    """Return the arrays of one level, named without it."""
    return {name.partition(".")[2]: array for name, array in extra.items() if level_of(name) == level}


def flat(extra: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays under names that mix with those of other arrays, as a store keeps them."""
    return {f"{PREFIX}{name}": array for name, array in extra.items()}


def split_flat(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the other arrays and the extra ones of what `flat` mixed."""
    others = {name: array for name, array in arrays.items() if not name.startswith(PREFIX)}
    extra = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
    return others, extra
