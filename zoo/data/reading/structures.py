"""SD and MOL files, record by record: the molecule as SMILES, its title, and its properties as columns."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence

from featurizers import InvalidMolecule
from featurizers.mol_block import LONGEST_BLOCK, smiles_of_block
from zoo.data.errors import DataError
from zoo.data.reading.molecule_cells import Unreadable
from zoo.data.reading.row_file import RowFile
from zoo.data.reading.textfile import inspect_text

PROPERTY = re.compile(r"^>.*?<([^>\n]*)>")
END = "$$$$"
MOST_PROPERTIES = 10_000


class StructureFile(RowFile):
    """An SD or MOL file (V2000, V3000), also compressed.

    A record that cannot be read is a row all the same: its molecule is an `Unreadable` with the reason, its properties
    are there.

    Args:
        path: The file.
        encoding: Of the text; `None` finds it out.

    Raises:
        DataError: Empty, not text, without a record, or of thousands of properties.
    """

    def __init__(self, path: str | os.PathLike[str], encoding: str | None = None) -> None:
        self.text = inspect_text(path, encoding)
        self.path = self.text.path
        self.notes = [self.text.note] if self.text.note else []
        self.properties, self._records, titled = self._look_through()
        if not self._records:
            raise DataError(f"{self.path} holds no record of a molecule: nothing to read")
        self.molecules = free_name(self.properties, "smiles", "structure")
        self.titles = free_name(self.properties, "name", "title") if titled else None
        self.columns = [self.molecules, *([self.titles] if self.titles else []), *self.properties]

    def _look_through(self) -> tuple[list[str], int, bool]:
        """Find the names of the properties, the number of records, and whether any has a title."""
        names: dict[str, None] = {}
        records, titled = 0, False
        for _, lines in self._split():
            records += 1
            titled = titled or bool(lines[0].strip())
            names |= dict.fromkeys(found[1].strip() for line in lines if (found := PROPERTY.match(line)))
            if len(names) > MOST_PROPERTIES:
                raise DataError(f"{self.path} has more than {MOST_PROPERTIES:,} properties: leave most of them out")
        return list(names), records, titled

    def _split(self) -> Iterator[tuple[int, list[str]]]:
        """Number of the first line of each record, and its lines; a record that is far too long is cut off."""
        lines: list[str] = []
        start, size = 1, 0
        with self.text.open() as file:
            number = 0
            for number, raw in enumerate(file, start=1):
                line = raw.rstrip("\r\n")
                if line.startswith(END):
                    yield start, lines or [""]
                    lines, start, size = [], number + 1, 0
                    continue
                size += len(line) + 1
                if size <= LONGEST_BLOCK + 1 or line.startswith(">"):
                    lines.append(line)
        if any(line.strip() for line in lines):
            yield start, lines

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number of the line on which each record begins, and its cells, as many as columns."""
        for start, lines in self._split():
            yield start, self._cells(lines)

    def _cells(self, lines: list[str]) -> list[str]:
        first = next((place for place, line in enumerate(lines) if PROPERTY.match(line)), len(lines))
        try:
            molecule = smiles_of_block("\n".join(lines[:first]))
        except InvalidMolecule as error:
            molecule = Unreadable(error.reason)
        values = read_properties(lines[first:])
        titles = [lines[0].strip()] if self.titles else []
        return [molecule, *titles, *(values.get(name, "") for name in self.properties)]

    def count(self) -> int:
        """Number of records."""
        return self._records


def read_properties(lines: Sequence[str]) -> dict[str, str]:
    r"""Read the data items of a record: `> <NAME>`, lines of the value, an empty line.

    Example:
        >>> read_properties(["> <logP>  (1)", "1.5", "", "> <note>", "two", "lines", ""])
        {'logP': '1.5', 'note': 'two\nlines'}
    """
    values: dict[str, str] = {}
    name, value = None, list[str]()
    for line in [*lines, ""]:
        found = PROPERTY.match(line)
        if name is not None and (found or not line.strip()):
            values[name], name = "\n".join(value).strip(), None
        if found:
            name, value = found[1].strip(), []
        elif name is not None:
            value.append(line)
    return values


def free_name(taken: Sequence[str], *names: str) -> str:
    """Return the first of some names that is not taken, else the last one with a number behind it."""
    folded = {name.lower() for name in taken}
    numbered = (f"{names[-1]}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain(names, numbered) if name.lower() not in folded)
