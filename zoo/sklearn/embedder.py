"""`MoleculeEmbedder`: vectors of a trained model as features for scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from zoo.learners import Learner, load


class MoleculeEmbedder(TransformerMixin, BaseEstimator):
    """Transformer from SMILES to the vectors that a trained or pre-trained model has before its head.

    Args:
        run: Folder of a run or a checkpoint.
        source: As in `Learner.embed`.
        batch_size: Molecules in a batch of the model.
        device: As in `zoo.build`.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> pipeline = make_pipeline(MoleculeEmbedder("grover-base"), LogisticRegression())
    """

    def __init__(self, run: str, source: str | None = None, batch_size: int = 64, device: str = "auto") -> None:
        self.run, self.source, self.batch_size, self.device = run, source, batch_size, device

    def fit(self, X: Any, y: Any = None) -> MoleculeEmbedder:
        """Open the run; there is nothing to learn."""
        self._open()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Vectors (n, D) of SMILES or RDKit molecules (n).

        Raises:
            InvalidMolecule: One of them cannot be read.
        """
        return self._open().embed(list(np.ravel(X)), batch_size=self.batch_size, on_invalid="raise", source=self.source)

    def __sklearn_is_fitted__(self) -> bool:
        """A run is trained already."""
        return True

    def _open(self) -> Learner:
        """Return the learner, read once for each run and device."""
        key = (self.run, self.device)
        if getattr(self, "_opened", None) != key:
            learner = load(self.run, device=self.device)
            if not isinstance(learner, Learner):
                raise TypeError(f"model {learner.recipe.model!r} has no embedding: choose the run of a graph model")
            self._learner, self._opened = learner, key
        return self._learner

    def __getstate__(self) -> dict[str, Any]:
        """Leave the learner out: the run is read again."""
        return {name: value for name, value in super().__getstate__().items() if name not in ("_learner", "_opened")}
