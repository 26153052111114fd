"""`Domain`: what a model was trained on, and how much new molecules resemble it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.arrays import Bool, Float32, Int64
from zoo.learners.molecule_lists import in_chunks
from zoo.trust.domain.fingerprints import ecfp4, nearest

if TYPE_CHECKING:
    import pandas as pd

MOST_MOLECULES, MOST_COMPARED, SEED = 50_000, 5_000, 0
SHARE = 0.95
"""Share of the validation molecules that are inside the domain."""


@dataclass(frozen=True)
class Resemblance:
    """Resemblance of n molecules to the training molecules.

    Args:
        similarity: Tanimoto similarity to the nearest training molecule (n,); NaN for molecules that cannot be read.
        in_domain: Whether it reaches the domain's threshold (n,); `False` where there is no similarity.
        neighbors: Positions of the k nearest training molecules (n, k), nearest first; -1 where there are none.
        similarities: Their similarities (n, k).
        domain: The training molecules.
    """

    similarity: Float32
    in_domain: Bool
    neighbors: Int64
    similarities: Float32
    domain: Domain = field(repr=False)

    def columns(self, count: int = 0) -> dict[str, np.ndarray]:
        """Return columns by name: `nearest_similarity`, and for each of `count` neighbours its molecule and labels."""
        named = self.domain.neighbor_columns(self.neighbors[:, :count], self.similarities, "similarity")
        return {"nearest_similarity": self.similarity, **named}

    def to_frame(self) -> pd.DataFrame:
        """Return a table with all of it, a row for each molecule."""
        import pandas as pd

        columns = self.columns(self.neighbors.shape[1])
        first = {"nearest_similarity": columns.pop("nearest_similarity"), "in_domain": self.in_domain}
        return pd.DataFrame({**first, **columns})


@dataclass(frozen=True)
class Domain:
    """Applicability domain of a model: its training molecules as fingerprints, with a threshold of similarity.

    A molecule is in the domain if its ECFP4 Tanimoto similarity to the nearest training molecule is at least
    `threshold`: the value that 95 % of the validation molecules reach. The metrics that a run reports were measured on
    molecules at least as similar; below it nothing was measured. Without a validation part, the threshold is the value
    that 95 % of the training molecules reach, each compared with the others.

    Args:
        fingerprints: Packed ECFP4 of the training molecules (n, 256), uint8.
        smiles: Their SMILES (n).
        targets: Their labels (n, T), float32; NaN where missing.
        task_names: Names of the tasks (T).
        threshold: Least similarity inside the domain, in [0, 1].
        trained_on: Molecules of the training part; n is smaller where only some were drawn.

    Example:
        >>> train = MoleculeDataset("two", ["CCO", "CCCO"], np.zeros((2, 1)), ("logS",), "regression")
        >>> Domain.of(train).resemblance(["CCCO", "c1ccccc1"]).in_domain.tolist()
        [True, False]

    Reference:
        Sheridan et al. 2004, J. Chem. Inf. Comput. Sci. 44, 1912 (similarity to the training set and error).
    """

    fingerprints: np.ndarray
    smiles: list[str]
    targets: Float32
    task_names: tuple[str, ...]
    threshold: float
    trained_on: int

    @classmethod
    def of(cls, train: MoleculeDataset, valid: MoleculeDataset | None = None) -> Domain:
        """Take at most 50,000 of the training molecules, drawn, and learn the threshold.

        Raises:
            ValueError: No training molecule can be read.
        """
        chosen = draw(len(train), MOST_MOLECULES)
        packed, readable = ecfp4(train.smiles[row] for row in chosen)
        chosen, packed = chosen[readable], packed[readable]
        if not len(chosen):
            raise ValueError(f"{train.name}: no training molecule can be read, so that there is nothing to resemble")
        smiles = [" ".join(train.smiles[row].split()) for row in chosen]
        threshold = learn_threshold(packed, [] if valid is None else valid.smiles)
        labels = train.exact_targets[chosen].astype(np.float32)
        return cls(packed, smiles, labels, train.task_names, threshold, len(train))

    def __len__(self) -> int:
        return len(self.smiles)

    def __repr__(self) -> str:
        return f"Domain({len(self):,} molecules, threshold {self.threshold:.3f})"

    def resemblance(self, molecules: Any, neighbors: int = 1) -> Resemblance:
        """Compare molecules with the training molecules, some thousand at a time.

        Args:
            molecules: As in `Learner.predict`.
            neighbors: How many of the nearest training molecules to find, at least 1.
        """
        found = [self._compare(chunk.smiles, neighbors) for chunk in in_chunks(molecules)]
        count = min(max(neighbors, 1), len(self))
        similarities = np.concatenate([np.empty((0, count), np.float32), *(part for part, _ in found)])
        positions = np.concatenate([np.empty((0, count), np.int64), *(part for _, part in found)])
        with np.errstate(invalid="ignore"):
            inside = similarities[:, 0] >= np.float32(self.threshold)
        return Resemblance(similarities[:, 0], inside, positions, similarities, self)

    def neighbor_columns(self, neighbors: np.ndarray, values: np.ndarray, word: str) -> dict[str, np.ndarray]:
        """Name the nearest training molecules in columns: SMILES, similarity or distance, and labels of each.

        Args:
            neighbors: Positions (n, k); -1 where there are none.
            values: How near they are (n, k or more).
            word: Name of these values.
        """
        smiles = np.array([*self.smiles, ""], dtype=object)
        labels = np.vstack([self.targets, np.full((1, self.targets.shape[1]), np.nan, np.float32)])
        found: dict[str, np.ndarray] = {}
        for number, rows in enumerate(neighbors.T, start=1):
            found[f"neighbor_{number}"] = smiles[rows]
            found[f"neighbor_{number}_{word}"] = values[:, number - 1]
            for task, name in enumerate(self.task_names):
                found[f"neighbor_{number}_{name}"] = labels[rows, task]
        return found

    def _compare(self, molecules: Iterable[Any], neighbors: int) -> tuple[np.ndarray, np.ndarray]:
        packed, readable = ecfp4(molecules)
        similarities, positions = nearest(packed, self.fingerprints, neighbors)
        similarities[~readable], positions[~readable] = np.nan, -1
        return similarities, positions

    @classmethod
    def union(cls, domains: Iterable[Domain]) -> Domain:
        """Join the domains of the members of an ensemble: all of their molecules, the mean of their thresholds.

        Raises:
            ValueError: There is none.
        """
        parts = list(domains)
        if not parts:
            raise ValueError("domains=[]: an ensemble has at least one member")
        smiles = [text for part in parts for text in part.smiles]
        first = np.unique(np.array(smiles, dtype=object).astype(str), return_index=True)[1]
        rows = np.sort(first)
        return cls(
            np.concatenate([part.fingerprints for part in parts])[rows],
            [smiles[row] for row in rows],
            np.concatenate([part.targets for part in parts])[rows],
            parts[0].task_names,
            float(np.mean([part.threshold for part in parts])),
            max(len(rows), *(part.trained_on for part in parts)),
        )


def draw(size: int, most: int) -> np.ndarray:
    """Draw at most this many positions, always the same ones, in their order."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(SEED).permutation(size)[:most])


def learn_threshold(train: np.ndarray, valid: list[str], share: float = SHARE) -> float:
    """Return the similarity that a share of the validation molecules reach.

    Args:
        train: Packed fingerprints of the training molecules (n, 256).
        valid: Validation molecules; without readable ones each training molecule is compared with the others. Of more
            than 5,000 some are drawn.
        share: In (0, 1].
    """
    packed, readable = ecfp4([valid[row] for row in draw(len(valid), MOST_COMPARED)])
    if readable.any():
        similarity = nearest(packed[readable], train)[0][:, 0]
    elif len(train) > 1:  # the first neighbour is the molecule itself, or a duplicate of it
        similarity = nearest(train[draw(len(train), MOST_COMPARED)], train, 2)[0][:, 1]
    else:
        return 1.0
    return float(np.quantile(similarity, 1 - share, method="lower"))
