"""GROVER as released (tencent-ailab/grover), fine-tuned at a fixed depth: its side of a pair of `releases.py`."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

# What its command line would set; heads and attention as in its fine-tuning command.
OPTIONS = {
    "backbone": "gtrans",
    "embedding_output_type": "both",
    "activation": "PReLU",
    "dropout": 0.0,
    "bias": False,
    "dense": False,
    "undirected": False,
    "num_mt_block": 1,
    "num_attn_head": 4,
    "self_attention": False,
    "attn_hidden": 4,
    "attn_out": 128,
    "ffn_num_layers": 2,
    "output_size": 1,
    "num_tasks": 1,
    "dataset_type": "classification",
    "dist_coff": 0.1,
    "bond_drop_rate": 0,
    "features_only": False,
    "features_dim": 0,
    "features_size": 0,
    "features_generator": None,
    "use_input_features": False,
    "no_cache": True,
    "cuda": False,
}


def load_grover(hidden: int, depth: int, rows: list[dict[str, str]], batch_size: int) -> tuple[Any, list[Any], int]:
    """Return a step with Adam, its batches and the number of parameters."""
    without_descriptors()
    from grover.data.molgraph import MolCollator
    from grover.model.models import GroverFinetuneTask

    args = Namespace(**OPTIONS, hidden_size=hidden, ffn_hidden_size=hidden, depth=depth)
    model = GroverFinetuneTask(args).train()
    for module in model.modules():
        if hasattr(module, "dynamic_depth"):
            module.dynamic_depth = "none"
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    criterion = GroverFinetuneTask.get_loss_func(args)
    collate = MolCollator({}, args)
    points = [SimpleNamespace(smiles=row["smiles"], features=None, targets=[float(row["label"])]) for row in rows]
    batches = [collate(points[start : start + batch_size]) for start in range(0, len(points), batch_size)]

    def step(batch: Any) -> None:
        _, graph, features, mask, targets = batch
        optimizer.zero_grad()
        losses = criterion(model(graph, features), targets) * mask
        (losses.sum() / mask.sum()).backward()
        optimizer.step()

    return step, batches, sum(parameter.numel() for parameter in model.parameters())


def without_descriptors() -> None:
    """Let the release be imported where descriptastorus, which this comparison does not use, is missing."""
    if importlib.util.find_spec("descriptastorus") is None:
        package, descriptors = ModuleType("descriptastorus"), ModuleType("descriptastorus.descriptors")
        descriptors.rdDescriptors = descriptors.rdNormalizedDescriptors = object  # type: ignore[attr-defined]
        sys.modules |= {package.__name__: package, descriptors.__name__: descriptors}
