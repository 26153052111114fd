"""Atoms and atom pairs of a batch as a few dense blocks of molecules of similar size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from featurizers.packed import ranges
from featurizers.size_buckets import BUCKET_COST, size_buckets
from featurizers.tensor_graph import TensorGraph

if TYPE_CHECKING:
    from featurizers.backend import DGLGraph


@dataclass(frozen=True)
class PairBlocks:
    """Places of the atoms and ordered pairs of a batch in dense blocks.

    A block holds b molecules as (b, L, ...) or (b, L, L, ...), L being its largest number of tokens; what its smaller
    molecules do not fill is padding, which `masks` tells apart and no result contains. Attention over such blocks took
    0.3 to 0.4 of the time of DGL's kernels on the complete graphs (`benchmarks/pair_attention.py`, batches of 32).

    Args:
        shapes: Molecules b and tokens L of each block.
        molecules: The molecules of all blocks, block after block (B,).
        atom_places: Place of each atom among the tokens of all blocks (N,).
        pair_places: Place of each pair among the token pairs of all blocks (P,).
        real: Whether a token is there, 1-D over the tokens of all blocks.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> graph = CanonicalFeaturizer(pairs=True)("CCO")
        >>> blocks = PairBlocks.of(graph.graph)
        >>> [block.shape for block in blocks.pairs(graph.pairs.edata["distance"])]
        [torch.Size([1, 3, 3])]
    """

    shapes: tuple[tuple[int, int], ...]
    molecules: Tensor
    atom_places: Tensor
    pair_places: Tensor
    real: Tensor

    @classmethod
    def of(cls, graph: DGLGraph | TensorGraph, leading: int = 0) -> PairBlocks:
        """The blocks of a batch, see `of_sizes`; `MoleculeGraph.blocks` makes them only once."""
        return cls.of_sizes(graph.batch_num_nodes().cpu().numpy(), leading).to(graph.device)

    @classmethod
    def of_sizes(cls, sizes: np.ndarray, leading: int = 0, block_cost: int = BUCKET_COST) -> PairBlocks:
        """The blocks of molecules.

        Args:
            sizes: Atoms of each molecule (B,), int64.
            leading: Tokens that every molecule has before its atoms, such as a virtual node.
            block_cost: What one more block costs, in atom pairs.
        """
        tokens = sizes + leading
        widths, token_base, pair_base = np.empty_like(sizes), np.empty_like(sizes), np.empty_like(sizes)
        shapes, used_tokens, used_pairs = [], 0, 0
        buckets = size_buckets(tokens, block_cost)
        for bucket in buckets:
            b, L = len(bucket), int(tokens[bucket].max())
            widths[bucket] = L
            token_base[bucket] = used_tokens + np.arange(b) * L
            pair_base[bucket] = used_pairs + np.arange(b) * L * L
            used_tokens, used_pairs = used_tokens + b * L, used_pairs + b * L * L
            shapes.append((b, L))
        atoms = ranges(token_base + leading, sizes)
        within = ranges(np.full_like(sizes, leading), sizes)
        rows = np.repeat(pair_base, sizes) + within * np.repeat(widths, sizes) + leading
        real = np.zeros(used_tokens, dtype=bool)
        real[ranges(token_base, tokens)] = True
        tensors = (np.concatenate(buckets), atoms, ranges(rows, np.repeat(sizes, sizes)), real)
        return cls(tuple(shapes), *(torch.from_numpy(tensor) for tensor in tensors))

    def to(self, device: torch.device | str) -> PairBlocks:
        """The same blocks on another device."""
        tensors = self.molecules, self.atom_places, self.pair_places, self.real
        return PairBlocks(self.shapes, *(tensor.to(device, non_blocking=True) for tensor in tensors))

    def atoms(self, node_feats: Tensor) -> list[Tensor]:
        """Atoms (N, ...) as blocks (b, L, ...); leading tokens and padding are 0."""
        flat = node_feats.new_zeros(len(self.real), *node_feats.shape[1:])
        return self._split(flat.index_copy(0, self.atom_places, node_feats), 1)

    def pairs(self, pair_feats: Tensor, fill: float = 0.0) -> list[Tensor]:
        """Pairs (P, ...) as blocks (b, L, L, ...) with the pair from atom i to atom j at [:, i, j], else `fill`."""
        size = sum(b * L * L for b, L in self.shapes)
        flat = pair_feats.new_full((size, *pair_feats.shape[1:]), fill)
        return self._split(flat.index_copy(0, self.pair_places, pair_feats), 2)

    def masks(self) -> list[Tensor]:
        """Return whether a token is there, (b, L) for each block."""
        return self._split(self.real, 1)

    def flat_atoms(self, blocks: Sequence[Tensor]) -> Tensor:
        """Blocks (b, L, ...) as atoms (N, ...)."""
        return torch.cat([block.flatten(0, 1) for block in blocks]).index_select(0, self.atom_places)

    def in_order(self, blocks: Sequence[Tensor]) -> Tensor:
        """One row for each molecule of each block, (b, ...), in the order of the batch (B, ...)."""
        return torch.cat(list(blocks)).index_select(0, self.molecules.argsort())

    def _split(self, flat: Tensor, axes: int) -> list[Tensor]:
        counts = [b * L**axes for b, L in self.shapes]
        parts = zip(flat.split(counts), self.shapes, strict=True)
        return [part.view(b, *[L] * axes, *flat.shape[1:]) for part, (b, L) in parts]
