"""`ForeignCheckpoint`: a checkpoint of another project in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class ForeignCheckpoint:
    """Model, weights and targets that a checkpoint of another project describes.

    Args:
        origin: The project, for messages.
        model: Name of our model.
        model_args: Its options.
        featurizer: Name of our featurizer.
        featurizer_args: Its options.
        weights: Our parameters and buffers by name; those of `untrained` parts are missing.
        task: Kind of target.
        num_tasks: T.
        task_args: Options of the kind of target.
        task_names: Names of the T tasks; empty where the file has none.
        target_scaling: Mean and standard deviation of the targets (T each).
        untrained: Parts that the checkpoint has no weights for, such as ("head",).
        notes: What was left out, one line each.
    """

    origin: str
    model: str
    model_args: Mapping[str, Any]
    featurizer: str
    featurizer_args: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    task: str = "binary"
    num_tasks: int = 1
    task_args: Mapping[str, Any] = field(default_factory=dict)
    task_names: tuple[str, ...] = ()
    target_scaling: Mapping[str, Any] | None = None
    untrained: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
