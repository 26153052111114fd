"""The job of embedding: vectors of molecules or of their atoms in the place of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zoo.inference.errors import InferenceError
from zoo.inference.job import Job

if TYPE_CHECKING:
    from zoo.data import MoleculeRows
    from zoo.learners.predictor import Predictor

LEVELS = ("molecule", "atom")
NO_VECTOR = "it cannot be read"


@dataclass(frozen=True)
class EmbeddingJob(Job):
    """Description of the work for a worker that embeds.

    Args:
        level: "molecule" for a vector of each molecule; "atom" for one of each atom, with its number in `atom`.
        of: What GROVER's vectors are made of, as `source` of `Learner.embed`.
    """

    level: str = "molecule"
    of: str | None = None

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise InferenceError(f"level={self.level!r}: choose one of {', '.join(LEVELS)}")
        if self.level == "atom" and self.of is not None:
            raise InferenceError("vectors of atoms have no source: leave it out, or take level='molecule'")

    def load(self) -> Predictor:
        """Read the learner; one without vectors is refused.

        Raises:
            TypeError: The model has no embedding.
            ValueError: `of` names nothing that its vectors are made of.
        """
        from zoo.learners import Learner

        learner = super().load()
        if not isinstance(learner, Learner):
            raise TypeError(f"model {learner.recipe.model!r} has no embedding: choose the run of a graph model")
        columns = len(learner.fitted.smiles_columns)
        self.table(learner, [("C",) * columns if columns else "C"])
        return learner

    def table(self, learner: Any, molecules: MoleculeRows | Sequence[Any]) -> pd.DataFrame:
        """Return the columns e0, e1, ... of molecules (n); the index tells which of them a row belongs to."""
        if self.level == "molecule":
            vectors = learner.embed(molecules, batch_size=self.batch_size, source=self.of)
            return pd.DataFrame(vectors, columns=names_of(vectors))
        found = learner.embed_atoms(getattr(molecules, "smiles", molecules), batch_size=self.batch_size)
        counts = [len(states) for states in found]
        vectors = np.concatenate(found) if any(counts) else learner.embed_atoms(["C"], batch_size=1)[0][:0]
        table = pd.DataFrame(vectors, columns=names_of(vectors), index=np.repeat(np.arange(len(found)), counts))
        table.insert(0, "atom", np.concatenate([np.arange(count) for count in counts]))
        return table

    def reasons(self, table: pd.DataFrame, rows: int) -> list[str]:
        """Return why molecules have no vector, one reason for each of them."""
        kept = len(set(table.index[table["e0"].notna()])) if "e0" in table else 0
        return [NO_VECTOR] * (rows - kept)


def names_of(vectors: np.ndarray) -> list[str]:
    """Return the names of the columns of vectors (n, D)."""
    return [f"e{number}" for number in range(vectors.shape[1])]
