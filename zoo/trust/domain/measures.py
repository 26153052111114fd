"""Measures of the applicability domain: similarity of fingerprints, and distance in a model's embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.learners.molecule_lists import in_chunks
from zoo.learners.predictor import Predictor
from zoo.trust.domain.domain import MOST_COMPARED, SHARE, Domain, draw
from zoo.trust.domain.finding import domain_of

CACHE = "embedded domain"

Measured = tuple[np.ndarray, dict[str, np.ndarray]]
"""Whether each molecule is in the domain (n,), and columns by name."""


def by_fingerprint(predictor: Predictor, molecules: Any, neighbors: int = 0) -> Measured:
    """Compare fingerprints: columns `nearest_similarity`, and `neighbor_1`, ... with similarity and labels.

    Args:
        predictor: A learner, a baseline or an ensemble.
        molecules: As in `Learner.predict`.
        neighbors: How many of the nearest training molecules are named.
    """
    chunks = in_chunks(molecules, inputs=predictor.fitted.inputs)
    smiles = [molecule for chunk in chunks for molecule in chunk.smiles]
    found = domain_of(predictor).resemblance(smiles, max(neighbors, 1))
    return found.in_domain, found.columns(neighbors)


@dataclass(frozen=True)
class EmbeddedDomain:
    """Training molecules as a model sees them.

    Args:
        rows: Positions of the molecules in the domain (m,).
        index: scikit-learn's `NearestNeighbors` of their vectors.
        threshold: Largest distance inside the domain: 95 % of the training molecules are as near to another one.
    """

    rows: np.ndarray
    index: Any
    threshold: float

    @classmethod
    def of(cls, predictor: Any, domain: Domain) -> EmbeddedDomain:
        """Embed at most 5,000 training molecules, drawn."""
        from sklearn.neighbors import NearestNeighbors

        rows = draw(len(domain), MOST_COMPARED)
        vectors = predictor.embed([domain.smiles[row] for row in rows])
        finite = np.isfinite(vectors).all(axis=1)
        rows, index = rows[finite], NearestNeighbors().fit(vectors[finite])
        if len(rows) < 2:
            return cls(rows, index, 0.0)
        others = index.kneighbors(n_neighbors=1)[0][:, 0]
        return cls(rows, index, float(np.quantile(others, SHARE, method="higher")))


def by_embedding(predictor: Any, molecules: Any, neighbors: int = 0) -> Measured:
    """Compare vectors before the head: column `nearest_distance` (Euclidean), and the neighbours as `by_fingerprint`.

    Args:
        predictor: A learner.
        molecules: As in `Learner.predict`.
        neighbors: How many of the nearest training molecules are named.

    Raises:
        TypeError: The model gives no embedding.
    """
    if not hasattr(getattr(predictor, "model", None), "embed"):
        raise TypeError(f"model {predictor.recipe.model!r} gives no embedding of its own: choose domain='fingerprint'")
    domain = domain_of(predictor)
    if CACHE not in predictor.derived:
        predictor.derived[CACHE] = EmbeddedDomain.of(predictor, domain)
    reference = predictor.derived[CACHE]
    vectors = predictor.embed(molecules)
    known = np.isfinite(vectors).all(axis=1)
    count = min(max(neighbors, 1), len(reference.rows))
    distances = np.full((len(vectors), count), np.nan, np.float32)
    positions = np.full((len(vectors), count), -1, np.int64)
    if known.any():
        found, nearest = reference.index.kneighbors(vectors[known], n_neighbors=count)
        distances[known], positions[known] = found, reference.rows[nearest]
    inside = known & (np.nan_to_num(distances[:, 0], nan=np.inf) <= reference.threshold)
    named = domain.neighbor_columns(positions[:, :neighbors], distances, "distance")
    return inside, {"nearest_distance": distances[:, 0], **named}
