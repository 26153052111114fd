"""Tables of predictions as JSON rows, sorted pages and CSV text."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

REASON = "reason"


@dataclass
class Results:
    """Predictions of an upload, in pieces as they come.

    Args:
        columns: Those of the upload.
        rows: Its rows as they are.
        molecules: Their molecules.
        tables: Tables of predictions by run.
    """

    columns: list[str] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)
    molecules: list[str] = field(default_factory=list)
    tables: dict[str, list[pd.DataFrame]] = field(default_factory=dict)

    def add(self, rows: pd.DataFrame, molecules: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> int:
        """Add a piece, and return how many of its rows have no prediction of some run."""
        self.rows.append(rows)
        self.molecules += molecules
        for run, table in tables.items():
            self.tables.setdefault(run, []).append(table)
        return int(np.logical_or.reduce([table[REASON] != "" for table in tables.values()]).sum())

    def page(
        self, offset: int, limit: int, run: str | None, column: str | None, descending: bool, failed: bool
    ) -> dict[str, Any]:
        """Return some rows.

        Args:
            offset: How many to leave out.
            limit: Most rows.
            run: Run of the column that rows are sorted by.
            column: This column; None leaves them in the order of the upload.
            descending: Begin with the largest; rows without a value come last in either direction.
            failed: Rows without a prediction alone.

        Raises:
            KeyError: No such run or column.
        """
        import pandas as pd

        order = np.arange(len(self.molecules))
        if column is not None:
            values = pd.concat([part[column] for part in self.tables[run or next(iter(self.tables))]])
            order = values.reset_index(drop=True).sort_values(
                ascending=not descending, na_position="last", kind="stable"
            ).index.to_numpy()  # fmt: skip
        if failed:
            without = [pd.concat(parts)[REASON].to_numpy() != "" for parts in self.tables.values()]
            order = order[np.logical_or.reduce(without)[order]] if without else order[:0]
        starts = np.cumsum([0, *map(len, self.rows)])
        return {"total": len(order), "rows": [self._row(int(n), starts) for n in order[offset : offset + limit]]}

    def _row(self, number: int, starts: np.ndarray) -> dict[str, Any]:
        part = int(np.searchsorted(starts, number, side="right")) - 1
        place = slice(number - starts[part], number - starts[part] + 1)
        given = to_records(self.rows[part].iloc[place])
        return {
            "row": number + 1,
            "molecule": self.molecules[number],
            "given": given[0],
            "runs": {run: to_records(tables[part].iloc[place])[0] for run, tables in self.tables.items()},
        }

    def to_csv(self) -> Iterator[str]:
        """Give CSV text piece by piece, as `molzoo predict --guard-formulas` writes it.

        Columns of several runs are named `RUN.COLUMN`.
        """
        from zoo.data import RowWriter

        several = len(self.tables) > 1
        heads = {run: list(parts[0].columns) for run, parts in self.tables.items() if parts}
        added = [f"{run}.{name}" if several else name for run, names in heads.items() for name in names]
        text = io.StringIO()
        with RowWriter(text, self.columns, added, guard_formulas=True) as writer:
            for part, rows in enumerate(self.rows):
                tables = [self.tables[run][part] for run in heads]
                cells = [guard(table[name]) for table in tables for name in table.columns]
                writer.write(rows, cells)
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        if not self.rows:
            yield text.getvalue()


def guard(column: pd.Series) -> list[Any] | np.ndarray:
    """Return the cells of a predicted column; texts that spreadsheets would run get an apostrophe before them."""
    if column.dtype.kind in "fiub":
        return column.to_numpy()
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell for cell in column]


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain data; NaN and infinities become None.

    Example:
        >>> import pandas as pd
        >>> to_records(pd.DataFrame({"a": [1.5, float("nan")]}))
        [{'a': 1.5}, {'a': None}]
    """
    columns = [list(map(to_plain, table.iloc[:, place].tolist())) for place in range(table.shape[1])]
    return [dict(zip(map(str, table.columns), cells, strict=True)) for cells in zip(*columns, strict=True)]


def to_plain(cell: Any) -> Any:
    """Return a cell as JSON holds it."""
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if cell is None or isinstance(cell, (str, bool, int)):
        return cell
    if isinstance(cell, np.generic):
        return to_plain(cell.item())
    return None if cell != cell else str(cell)
