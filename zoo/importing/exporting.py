"""Writing a GROVER in the layout of the published code."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import torch

from zoo.learners import Learner
from zoo.models.grover import Grover
from zoo.models.grover_weights import ACTIVATION_NAMES, OPTION_NAMES, to_published
from zoo.runs.checkpoint import CheckpointError


def export_grover(learner: Learner, path: str | Path) -> None:
    """Write a GROVER as the published code reads it: a dict of `args` and `state_dict`.

    Args:
        learner: A learner whose model is `grover`.
        path: File to write, such as `model.pt`; it must not exist.

    Raises:
        CheckpointError: Another model, or targets that the layout cannot hold: of several kinds, or transformed.
        FileExistsError: The file exists.
    """
    if not isinstance(learner.model, Grover):
        raise CheckpointError(f"model {learner.recipe.model!r} has no published layout, only GROVER does")
    if learner.fitted.task_kinds or (learner.fitted.target_scaling or {}).get("transforms"):
        raise CheckpointError("the published layout knows neither targets of several kinds nor transformed ones")
    if Path(path).exists():
        raise FileExistsError(f"{path} exists: name a new file")
    config = learner.model.config
    names = {ours: theirs for theirs, ours in ACTIVATION_NAMES.items()}
    options = {theirs: getattr(config, ours) for theirs, ours in OPTION_NAMES.items()}
    options |= {
        "dataset_type": "regression" if learner.fitted.task == "regression" else "classification",
        "ffn_hidden_size": config.ffn_hidden_size or config.hidden_size,
        "features_dim": config.descriptor_size,
        "features_only": False,
        "features_size": config.descriptor_size,
        "activation": names[config.activation],
        "self_attention": config.readout == "self_attention",
        "embedding_output_type": config.embedding_output,
        "task_names": list(learner.fitted.output_names),
        "undirected": False,
        "backbone": "gtrans",
        "cuda": False,
    }
    state = learner.fitted.target_scaling
    scaler = None if state is None else {"means": list(state["mean"]), "stds": list(state["std"])}
    content = {"args": Namespace(**options), "state_dict": to_published(learner.model), "data_scaler": scaler,
               "features_scaler": None}  # fmt: skip
    torch.save(content, path)
