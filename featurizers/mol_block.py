"""Mol blocks, as MOL and SD files hold them, to molecules."""

from __future__ import annotations

import re

from rdkit import Chem, rdBase

from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.reading import MOST_ATOMS, read_molecule

LONGEST_BLOCK = 5_000_000
"""Letters of a mol block: no molecule of `MOST_ATOMS` needs more."""
COUNTS_V2000 = re.compile(r"^([ \d]{3})([ \d]{3}).*V2000", re.IGNORECASE)
COUNTS_V3000 = re.compile(r"^M  V30 COUNTS +(\d+) +(\d+)", re.MULTILINE)
HEADER_LINES = 3


def smiles_of_block(block: str) -> str:
    """Read a mol block, V2000 or V3000, and write its molecule as SMILES.

    Stereochemistry comes from coordinates and wedges; hydrogens that are atoms become counts.

    Args:
        block: Three lines of header, the counts line, atoms and bonds; what follows `M  END` is not read.

    Raises:
        InvalidMolecule: It is none, or holds no molecule that can be read; with the reason.

    Example:
        >>> smiles_of_block(Chem.MolToMolBlock(Chem.MolFromSmiles("OCC")))
        'CCO'
    """
    with rdBase.BlockLogs():
        return Chem.MolToSmiles(read_molecule(parse_block(block)))


def parse_block(block: str) -> Chem.Mol:
    """Read atoms, bonds and stereochemistry of a mol block; valences are not looked at.

    Raises:
        InvalidMolecule: It is not a mol block, or too large.
    """
    name = block[:60].partition("\n")[0].strip() or "a mol block"
    if len(block) > LONGEST_BLOCK:
        raise InvalidMolecule(name, f"a record of more than {LONGEST_BLOCK:,} letters")
    reason = why_no_block(block)
    if reason:
        raise InvalidMolecule(name, reason)
    try:
        mol = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
    except FAILURES as error:
        raise InvalidMolecule(name, f"RDKit cannot read this mol block: {why_failed(error)}") from error
    if mol is None:
        raise InvalidMolecule(name, "RDKit cannot read this mol block: a line of its atoms or bonds is malformed")
    if mol.GetNumAtoms() == 0:
        raise InvalidMolecule(name, "a mol block without atoms")
    return mol


def why_no_block(block: str) -> str:
    """Return why a text is not a complete mol block of a size that can be read; "" where it may be one."""
    lines = block.split("\n", HEADER_LINES + 1)
    counts = lines[HEADER_LINES].rstrip() if len(lines) > HEADER_LINES else ""
    if not counts:
        return "no mol block: its fourth line, the counts line, is missing"
    old, new = COUNTS_V2000.match(counts), COUNTS_V3000.search(block) if "V3000" in counts else None
    if "V3000" in counts and new is None:
        return "no mol block: V3000 without a line M  V30 COUNTS"
    if old is None and new is None and not re.match(r"^[ \d]{3}[ \d]{3}", counts):
        return f"no mol block: the counts line is {counts[:40]!r}"
    if not re.search(r"^M  END", block, re.MULTILINE):
        return "the mol block ends before its line M  END"
    atoms = int(new[1][:9]) if new else int(counts[:3].strip() or 0)
    if atoms > MOST_ATOMS:
        return f"{atoms} atoms, more than {MOST_ATOMS}"
    return ""
