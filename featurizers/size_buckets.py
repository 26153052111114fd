"""Molecules of similar size together, so that dense blocks of them waste little."""

from __future__ import annotations

import numpy as np

BUCKET_COST = 2000
"""What one more bucket costs, in atom pairs: the fixed time of a handful of small tensor operations."""


def size_buckets(sizes: np.ndarray, bucket_cost: int = BUCKET_COST) -> list[np.ndarray]:
    """Divide molecules by size so that padding each part to its largest molecule costs least.

    The cost is the number of padded pairs plus `bucket_cost` for each bucket; the division is the best one.

    Args:
        sizes: Atoms of each molecule (B,), at least one molecule.
        bucket_cost: What one more bucket costs, in atom pairs.

    Returns:
        Positions of the molecules of each bucket, ascending; the buckets go from small to large molecules.

    Example:
        >>> [bucket.tolist() for bucket in size_buckets(np.array([60, 10, 58, 12]))]
        [[1, 3], [0, 2]]
    """
    sizes = np.asarray(sizes, dtype=np.int64)
    distinct, counts = np.unique(sizes, return_counts=True)
    areas, before = distinct**2, np.concatenate([[0], np.cumsum(counts)])
    best, cuts = np.zeros(len(distinct) + 1), []
    for end in range(1, len(distinct) + 1):
        costs = best[:end] + (before[end] - before[:end]) * areas[end - 1] + bucket_cost
        cuts.append(int(costs.argmin()))
        best[end] = costs[cuts[-1]]
    buckets, end = [], len(distinct)
    while end > 0:
        start = cuts[end - 1]
        buckets.append(np.flatnonzero((sizes >= distinct[start]) & (sizes <= distinct[end - 1])))
        end = start
    return buckets[::-1]
