"""Counts of predicted rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from zoo.inference.chunks import REASON


@dataclass(frozen=True)
class FileSummary:
    """Outcome of `predict_file` or `predict_shards`.

    Args:
        rows: Rows of the output that this call answers for.
        failed: Rows among them without a prediction; of shards only those that this call predicted.
        continued: Rows that an earlier call, or another process, had predicted already.
        reason: Commonest reason of rows without a prediction; "" if there are none.
    """

    rows: int
    failed: int
    continued: int
    reason: str = ""

    @property
    def all_failed(self) -> bool:
        """Whether there were rows, and not one got a prediction."""
        return 0 < self.rows == self.failed


@dataclass
class Tally:
    """Summary that grows row by row."""

    rows: int = 0
    continued: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, table: pd.DataFrame) -> None:
        """Count predicted rows."""
        self.rows += len(table)
        self.reasons.update(reason for reason in table[REASON] if reason)

    def skip(self, rows: int) -> None:
        """Count rows that are done already."""
        self.rows += rows
        self.continued += rows

    def summary(self) -> FileSummary:
        """Return the counts."""
        common = self.reasons.most_common(1)
        return FileSummary(self.rows, self.reasons.total(), self.continued, common[0][0] if common else "")
