"""Batched DGL graphs with little overhead."""

from __future__ import annotations

import dgl
import numpy as np
import torch
from dgl.frame import Frame
from dgl.heterograph_index import create_unitgraph_from_coo
from torch import Tensor


def batched_graph(
    edges: tuple[np.ndarray, np.ndarray],
    num_nodes: np.ndarray,
    num_edges: np.ndarray,
    ndata: dict[str, Tensor],
    edata: dict[str, Tensor],
) -> dgl.DGLGraph:
    """What `dgl.graph` gives, with features and sizes set, in a third of its time.

    These are the steps that it takes itself; left out is its search for node numbers that do not exist. That they do
    exist is checked once for each molecule, when it is encoded (`MoleculeArrays`).

    Args:
        edges: Source and destination of each edge of the batch (E,), int64.
        num_nodes: Nodes of each graph (B,).
        num_edges: Edges of each graph (B,).
        ndata: Node features by name, each (N, ...).
        edata: Edge features by name, each (E, ...).
    """
    source, destination = edges
    total = int(num_nodes.sum())
    index = create_unitgraph_from_coo(
        1, total, total, torch.from_numpy(source), torch.from_numpy(destination), ["coo", "csr", "csc"]
    )
    frames = [Frame(ndata, num_rows=total)], [Frame(edata, num_rows=len(source))]
    graph = dgl.DGLGraph(index, ["_N"], ["_E"], *frames)
    graph.set_batch_num_nodes(torch.from_numpy(num_nodes.astype(np.int64)))
    graph.set_batch_num_edges(torch.from_numpy(num_edges.astype(np.int64)))
    return graph
