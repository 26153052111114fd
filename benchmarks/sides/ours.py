"""Our side of a pair of `releases.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import zoo
from zoo.data import MoleculeLoader, featurize
from zoo.models.compt_published import RECIPES
from zoo.runs import tune_process
from zoo.tasks import objective_for

BFLOAT16 = "_bfloat16"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "grover_100_3": ("grover", {"hidden_size": 100, "num_layers": 3, "dynamic_depth": None, "dropout": 0.0}),
    "grover_800_6": ("grover", {"hidden_size": 800, "num_layers": 6, "dynamic_depth": None, "dropout": 0.0}),
    "compt_bbbp": ("compt", dict(RECIPES["bbbp"])),
    "dmpnn_300_3": ("dmpnn", {"hidden_size": 300, "num_layers": 3}),
}


def load_ours(pair: str, rows: list[dict[str, str]], batch_size: int) -> tuple[Any, list[Any], int]:
    """Return a step with Adam, its batches and the number of parameters."""
    tune_process()  # as every command does
    model, model_args = MODELS[pair.removesuffix(BFLOAT16)]
    learner = zoo.build(model, model_args=model_args, optimizer_args={"lr": 1e-4}, device="cpu")
    packed = featurize([row["smiles"] for row in rows], learner.featurizer)
    targets = np.array([[float(row["label"])] for row in rows])
    loader = MoleculeLoader(packed, learner.featurizer, targets, batch_size=batch_size)
    objective = objective_for(learner.model.train(), learner.task)

    def step(batch: Any) -> None:
        def closure() -> torch.Tensor:
            learner.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=pair.endswith(BFLOAT16)):
                loss = objective(learner.model, batch).total
            loss.backward()
            return loss

        learner.optimizer.step(closure)

    return step, list(loader), learner.num_parameters
