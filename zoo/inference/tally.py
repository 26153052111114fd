"""Counts of predicted rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zoo.data import MoleculeRows


@dataclass(frozen=True)
class FileSummary:
    """Outcome of `predict_file` or `predict_shards`.

    Args:
        rows: Rows of the output that this call answers for.
        failed: Rows among them without a prediction; of shards only those that this call predicted.
        continued: Rows that an earlier call, or another process, had predicted already.
        reason: Commonest reason of rows without a prediction; "" if there are none.
        missing: Rows without a feature, which got its mean in training, by feature; of shards as `failed`.
    """

    rows: int
    failed: int
    continued: int
    reason: str = ""
    missing: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_failed(self) -> bool:
        """Whether there were rows, and not one got a prediction."""
        return 0 < self.rows == self.failed


@dataclass
class Tally:
    """Summary that grows row by row.

    Args:
        feature_names: Numbers that the model reads next to the molecules (F).
    """

    feature_names: tuple[str, ...] = ()
    rows: int = 0
    continued: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, reasons: Iterable[str], molecules: MoleculeRows) -> None:
        """Count rows that are done, and why some of them are without a result ("" for the others)."""
        self.rows += len(molecules)
        self.missing.update({name: n for name, n in zip(self.feature_names, molecules.missing, strict=True) if n})
        self.reasons.update(reason for reason in reasons if reason)

    def skip(self, rows: int) -> None:
        """Count rows that are done already."""
        self.rows += rows
        self.continued += rows

    def summary(self) -> FileSummary:
        """Return the counts."""
        common = self.reasons.most_common(1)
        reason = common[0][0] if common else ""
        return FileSummary(self.rows, self.reasons.total(), self.continued, reason, dict(self.missing))
