"""Rules that cut molecules into three parts; each returns three lists of positions."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.ML.Cluster import Butina
from rdkit.SimDivFilters import rdSimDivPickers

from zoo.data.errors import DataError
from zoo.data.molecules import read_molecule

Parts = tuple[list[int], list[int], list[int]]
Fractions = tuple[float, float, float]


def group_by(keys: Iterable[Hashable]) -> list[list[int]]:
    """Positions of equal keys together, in the order in which the keys first occur.

    Example:
        >>> group_by(["a", "b", "a"])
        [[0, 2], [1]]
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        groups[key].append(position)
    return list(groups.values())


def fill(groups: Iterable[list[int]], n: int, fractions: Fractions) -> Parts:
    """Give each group to the first part that has room: train, then valid, the rest to test (if there is to be one)."""
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in groups:
        if len(train) + len(group) <= fractions[0] * n:
            train += group
        elif len(valid) + len(group) <= fractions[1] * n or not fractions[2]:
            valid += group
        else:
            test += group
    return train, valid, test


def scaffold_balanced(scaffolds: Sequence[str], seed: int, fractions: Fractions) -> Parts:
    """Balanced scaffold split.

    Scaffolds with more molecules than half of the validation or test part come first, so that they land in train; big
    and small ones are shuffled by the seed.

    Args:
        scaffolds: Scaffold of each molecule (n).
        seed: Of the shuffling.
        fractions: Of train, valid and test.

    Reference: Rong et al., NeurIPS 2020 (GROVER), and Yang et al., J. Chem. Inf. Model. 59, 3370 (2019) (chemprop): the
    same molecules in the same parts as theirs.
    """
    n = len(scaffolds)
    smallest_half = min((share for share in fractions[1:] if share), default=0) * n / 2
    groups = group_by(scaffolds)
    big = [group for group in groups if len(group) > smallest_half]
    small = [group for group in groups if len(group) <= smallest_half]
    generator = random.Random(seed)
    generator.shuffle(big)
    generator.shuffle(small)
    return fill(big + small, n, fractions)


def scaffold_sorted(scaffolds: Sequence[str], fractions: Fractions) -> Parts:
    """Scaffold split without chance, largest scaffolds first: the same parts as those of dgllife.

    Among scaffolds of one size the one whose first molecule comes last in the data goes first.
    """
    n = len(scaffolds)
    groups = sorted(group_by(scaffolds), key=lambda group: (len(group), group[0]), reverse=True)
    end_train, end_valid = int(fractions[0] * n), int((fractions[0] + fractions[1]) * n)
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in groups:
        if len(train) + len(group) <= end_train:
            train += group
        elif len(train) + len(valid) + len(group) <= end_valid or not fractions[2]:
            valid += group
        else:
            test += group
    return train, valid, test


def shuffle_groups(groups: list[list[int]], seed: int) -> list[list[int]]:
    """The groups in a random order."""
    return [groups[i] for i in np.random.default_rng(seed).permutation(len(groups))]


def random_grouped(molecules: Sequence[str], seed: int, fractions: Fractions) -> Parts:
    """Random split that keeps duplicates (equal canonical SMILES) in one part."""
    return fill(shuffle_groups(group_by(molecules), seed), len(molecules), fractions)


def random_stratified(molecules: Sequence[str], strata: np.ndarray, seed: int, fractions: Fractions) -> Parts:
    """Random split of each stratum by the fractions; duplicates stay together, in the stratum of the first.

    Args:
        molecules: Canonical SMILES (n).
        strata: Stratum of each molecule (n,).
        seed: Of the shuffling.
        fractions: Of train, valid and test.
    """
    parts: Parts = ([], [], [])
    groups = group_by(molecules)
    for stratum in np.unique(strata):
        inside = [group for group in groups if strata[group[0]] == stratum]
        cuts = np.cumsum(_shares(len(inside), fractions))
        for position, group in enumerate(shuffle_groups(inside, seed)):
            parts[int(np.searchsorted(cuts, position, side="right"))].extend(group)
    return parts


def _shares(n: int, fractions: Fractions) -> np.ndarray:
    """Return the number of groups of each part (3,): by the fractions, but at least one if there are enough."""
    shares = np.diff(np.round(np.cumsum(fractions) * n).astype(int), prepend=0)
    if n >= np.count_nonzero(fractions):
        for part in np.flatnonzero((shares == 0) & (np.array(fractions) > 0)):
            shares[part] += 1
            shares[np.argmax(shares)] -= 1
    return shares


def deal(groups: Sequence[list[int]], num_folds: int) -> list[list[int]]:
    """Give each group to the smallest fold so far."""
    folds: list[list[int]] = [[] for _ in range(num_folds)]
    for group in groups:
        min(folds, key=len).extend(group)
    return folds


def of_folds(folds: Sequence[list[int]], fold: int) -> Parts:
    """Return the parts where a fold is the test part: the next one validates, the others train."""
    valid = (fold + 1) % len(folds)
    train = [i for number, part in enumerate(folds) if number not in (fold, valid) for i in part]
    return train, folds[valid], folds[fold]


def cross_validation(molecules: Sequence[str], seed: int, fold: int, num_folds: int) -> Parts:
    """Random folds with duplicates together: `fold` is the test part, the next one validates, the others train."""
    return of_folds(deal(shuffle_groups(group_by(molecules), seed), num_folds), fold)


def _fingerprints(molecules: Sequence[str], rule: str, limit: int) -> list[DataStructs.ExplicitBitVect]:
    if len(molecules) > limit:
        raise DataError(f"split={rule!r} compares all pairs, too slow for {len(molecules)} molecules: use 'scaffold'")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return [generator.GetFingerprint(read_molecule(smiles)) for smiles in molecules]


def butina_clusters(molecules: Sequence[str], fractions: Fractions, cutoff: float = 0.65) -> Parts:
    """Clusters of similar molecules stay together, the largest ones in train.

    Args:
        molecules: SMILES (n), n <= 10,000.
        fractions: Of train, valid and test.
        cutoff: Tanimoto distance of ECFP4 within a cluster, 0 to 1.

    Reference: Butina, J. Chem. Inf. Comput. Sci. 39, 747 (1999).
    """
    prints = _fingerprints(molecules, "butina", 10_000)
    distances = np.concatenate(
        [np.empty(0)]
        + [1 - np.array(DataStructs.BulkTanimotoSimilarity(prints[i], prints[:i])) for i in range(1, len(prints))]
    )
    clusters = Butina.ClusterData(distances, len(prints), cutoff, isDistData=True, reordering=True)
    return fill([list(cluster) for cluster in clusters], len(prints), fractions)


def maxmin_diverse(molecules: Sequence[str], seed: int, fractions: Fractions) -> Parts:
    """Test, then validation are the molecules most unlike each other (MaxMin picks on ECFP4), the rest trains.

    Duplicates (equal canonical SMILES) stay together, so that a part may get a few rows more than its share.

    Reference: Ashton et al., Quant. Struct.-Act. Relat. 21, 598 (2002).
    """
    n, groups = len(molecules), group_by(molecules)
    prints = _fingerprints([molecules[group[0]] for group in groups], "maxmin", 100_000)
    num_test, num_valid = round(fractions[2] * n), round(fractions[1] * n)
    wanted = min(num_test + num_valid, len(groups))
    picker = rdSimDivPickers.MaxMinPicker()
    picks = list(picker.LazyBitVectorPick(prints, len(prints), wanted, [], seed)) if wanted else []
    test: list[int] = []
    valid: list[int] = []
    for pick in picks:
        if len(test) < num_test:
            test += groups[pick]
        elif len(valid) < num_valid:
            valid += groups[pick]
    taken = set(test + valid)
    return [i for i in range(n) if i not in taken], valid, test
