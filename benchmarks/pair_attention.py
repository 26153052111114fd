"""Attention over all atoms of a molecule, three ways.

DGL's kernels on complete graphs, one padded block, blocks of similar size: forward and backward of
`softmax(q k / sqrt(d) + bias) v` with a bias that has a gradient, on real batches. Prints one JSON line for each
width and batch, times in ms and as ratios to the complete graphs of the same run:

    python benchmarks/pair_attention.py --heads 8 --widths 64 256
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import dgl
import numpy as np
import torch
from torch import Tensor

import zoo
from featurizers import CanonicalFeaturizer, MoleculeGraph
from zoo.data import MoleculeLoader, featurize
from zoo.layers.message_passing import dot_of_ends, softmax_at_destination, sum_weighted_neighbors
from zoo.layers.pair_blocks import MASKED, PairBlocks

Attention = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="b3db", help="what zoo.data.load takes; default: b3db")
    parser.add_argument("--batch-size", type=int, default=32, help="default: 32")
    parser.add_argument("--batches", type=int, default=4, help="default: 4")
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 256], help="D; default: 64 256")
    parser.add_argument("--heads", type=int, default=8, help="default: 8")
    parser.add_argument("--repeats", type=int, default=10, help="default: 10")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for number, graph in enumerate(batches(options)):
        for width in options.widths:
            print(json.dumps({"batch": number, **compare(graph, width, options.heads, options.repeats)}), flush=True)


def batches(options: argparse.Namespace) -> list[MoleculeGraph]:
    data = zoo.data.load(options.data)
    rows = np.random.default_rng(0).permutation(len(data))[: options.batches * options.batch_size]
    featurizer = CanonicalFeaturizer(pairs=True)
    packed = featurize(data.subset(rows), featurizer)
    return [batch.graph for batch in MoleculeLoader(packed, featurizer, batch_size=options.batch_size)]


def compare(graph: MoleculeGraph, width: int, heads: int, repeats: int) -> dict[str, float]:
    N, P = graph.graph.num_nodes(), graph.pairs.num_edges()
    torch.manual_seed(0)
    inputs = [torch.randn(N, heads, width // heads, requires_grad=True) for _ in range(3)]
    inputs.append(torch.randn(P, heads, requires_grad=True))
    sizes = graph.num_atoms
    ways: dict[str, Attention] = {
        "complete_graphs": on_complete_graphs(graph),
        "one_block": in_blocks(one_block(sizes)),
        "blocks": in_blocks(graph.blocks()),
    }
    results = {name: way(*inputs) for name, way in ways.items()}
    for result in results.values():
        torch.testing.assert_close(result, results["complete_graphs"], rtol=1e-4, atol=1e-5)
    times = {name: milliseconds(way, inputs, repeats) for name, way in ways.items()}
    ratios = {f"{name}_ratio": round(times[name] / times["complete_graphs"], 3) for name in ways}
    return {"width": width, "heads": heads, "atoms": N, "most_atoms": int(sizes.max()), "pairs": P, **times, **ratios}


def on_complete_graphs(graph: MoleculeGraph) -> Attention:
    first, second = graph.pairs.edges()
    # Kernels gather at the destination, so the pair (i, j), with which i attends, is an edge from j to i.
    reverse = dgl.graph((second, first), num_nodes=graph.graph.num_nodes())

    def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        scores = dot_of_ends(reverse, key, query) * query.shape[2] ** -0.5 + bias
        return sum_weighted_neighbors(reverse, value, softmax_at_destination(reverse, scores))

    return attend


def in_blocks(blocks: PairBlocks) -> Attention:
    of_padding = [(~mask).float()[:, None, None, :] * MASKED for mask in blocks.masks()]

    def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        parts = blocks.atoms(torch.stack([query * query.shape[2] ** -0.5, key, value], dim=1))
        outputs = []
        for part, scores, padding in zip(parts, blocks.pairs(bias), of_padding, strict=True):
            q, k, v = part.permute(2, 0, 3, 1, 4)
            weights = (q @ k.transpose(2, 3) + scores.permute(0, 3, 1, 2) + padding).softmax(-1)
            outputs.append((weights @ v).transpose(1, 2))
        return blocks.flat_atoms(outputs)

    return attend


def one_block(sizes: Tensor) -> PairBlocks:
    """All molecules padded to the largest."""
    B, L = len(sizes), int(sizes.max())
    real = torch.arange(L) < sizes[:, None]
    both = real[:, :, None] & real[:, None, :]
    return PairBlocks(
        ((B, L),), torch.arange(B), real.flatten().nonzero()[:, 0], both.flatten().nonzero()[:, 0], real.flatten()
    )


def milliseconds(way: Attention, inputs: list[Tensor], repeats: int) -> float:
    """Median processor time of forward and backward; the first is left out."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        torch.autograd.grad(way(*inputs).sum(), inputs)
        times.append(1e3 * (time.process_time() - start))
    return round(median(times[1:]), 3)


if __name__ == "__main__":
    main()
