"""Molecules that a command is given: a file, standard input, or SMILES as its words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from featurizers import InvalidMolecule
from zoo.data import DataError, DataNotFoundError, read_molecule
from zoo.data.reading.standard_input import DASH, from_standard_input
from zoo.learners.molecule_lists import is_file

ENDING = re.compile(r".*\.[A-Za-z]\w{0,7}(\.(gz|bz2|xz))?", re.IGNORECASE)


def given_file(words: Sequence[str], folder: Path) -> tuple[Path, bool]:
    """Find what a command is to predict.

    Args:
        words: The name of a file; `-` for standard input; or SMILES. A file that is there is taken for one, whatever
            its name.
        folder: Where SMILES are written to, as a file of one column.

    Returns:
        The file, and whether it is one that the user named.

    Raises:
        DataError: Files together with other words.
        DataNotFoundError: A word that is neither the name of a file nor a SMILES.
    """
    if list(words) == [DASH]:
        return from_standard_input(DASH), False
    named = [word for word in words if word == DASH or is_file(word) or Path(word).expanduser().exists()]
    if named and len(words) == 1:
        return Path(words[0]), True
    if named:
        raise DataError(f"{named[0]!r} is a file among {len(words)} inputs: give one file, or `-`, or SMILES alone")
    for word in words:
        refuse_misspelt_file(word)
    place = folder / "smiles.csv"
    with place.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["smiles"], *([word] for word in words)])
    return place, False


@contextmanager
def naming_input(source: Path, named: bool) -> Iterator[None]:
    """Call a file that the user did not name "the input" in the errors of the block."""
    try:
        yield
    except DataError as error:
        if named:
            raise
        raise DataError(str(error).replace(str(source), "the input")) from error


def refuse_misspelt_file(word: str) -> None:
    """Raise a `DataNotFoundError` if a word looks like the name of a file and cannot be read as a molecule."""
    if not ENDING.fullmatch(word) and "/" not in word:
        return
    try:
        read_molecule(word)
    except InvalidMolecule as error:
        raise DataNotFoundError(f"{word!r}: no such file, and not a SMILES ({error.reason}): check the name") from error
