"""Errors of reading molecules."""

from __future__ import annotations

LONGEST_SHOWN = 100
"""Letters of a SMILES that a message shows."""


class InvalidMolecule(ValueError):
    """A molecule that cannot be featurized.

    Args:
        molecule: The SMILES (or a description of the molecule).
        reason: Why, in a few words.
    """

    def __init__(self, molecule: str, reason: str) -> None:
        shown = molecule if len(molecule) <= LONGEST_SHOWN else f"{molecule[:LONGEST_SHOWN]}..."
        super().__init__(f"{shown!r}: {reason}")
        self.molecule = molecule
        self.reason = reason

    def __reduce__(self) -> tuple[type[InvalidMolecule], tuple[str, str]]:
        return InvalidMolecule, (self.molecule, self.reason)


FAILURES = (ArithmeticError, LookupError, MemoryError, RuntimeError, ValueError)
"""What RDKit and NumPy raise over a single molecule; mistakes of a program (`TypeError`, ...) are not among them."""


def why_failed(error: Exception) -> str:
    r"""Return the reason that an exception gives, in one short line.

    RDKit's C++ errors span many lines: a heading, the condition that failed, and where.

    Example:
        >>> why_failed(RuntimeError("Pre-condition Violation\n  Atomic number not found\n  Violation occurred on"))
        'Atomic number not found'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" \t*-")]
    if len(lines) > 1 and lines[0].endswith("Violation"):
        lines = lines[1:]
    text = lines[0] if lines else type(error).__name__
    if "::" in text:
        text = "a check inside RDKit failed"
    return "".join(letter for letter in text if letter.isprintable())[:120]
