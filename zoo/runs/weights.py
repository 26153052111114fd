"""The weights of a model as named tensors, and back.

Two names can share memory for two reasons. Tied weights are the same elements: they are stored once. The weights of a
recurrent layer lie side by side in one block on a GPU, as cuDNN wants them: they are different and are all stored. The
functions of `safetensors` for models take the second for the first and refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import nn


def copy_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copy the weights of a model to memory of their own, of tied ones the first by name."""
    weights = model.state_dict()
    return {
        names[0]: weights[names[0]].detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for names in tied_names(weights)
    }


def put_weights(model: nn.Module, found: Mapping[str, torch.Tensor], untrained: Collection[str] = ()) -> None:
    """Put weights into a model; of tied ones one name is enough.

    Args:
        model: It gets the weights.
        found: By name.
        untrained: Parts of the model that keep what they have. With any, `found` may have weights of other heads too.

    Raises:
        RuntimeError: Names or shapes do not fit.
    """
    weights = model.state_dict()
    groups = tied_names(weights)
    wanted = [names for names in groups if any(name.partition(".")[0] not in untrained for name in names)]
    missing = [names[0] for names in wanted if not found.keys() & set(names)]
    unknown = [] if untrained else sorted(found.keys() - weights.keys())
    for names, what in ((missing, "are missing"), (unknown, "have no place in the model")):
        if names:
            raise RuntimeError(f"weights {what} ({len(names)}, first {names[0]!r})")
    chosen = {name: found[name] for names in wanted for name in names if name in found}
    model.load_state_dict(chosen, strict=False)


def tied_names(weights: Mapping[str, torch.Tensor]) -> list[list[str]]:
    """Group the names of tensors that are the same elements of the same memory, sorted."""
    groups: dict[tuple, list[str]] = {}
    for name, weight in sorted(weights.items()):
        start = weight.data_ptr()  # 0 for tensors without memory: empty ones, and those on the meta device
        place = (weight.device, start, weight.shape, weight.stride(), weight.dtype) if start else (name,)
        groups.setdefault(place, []).append(name)
    return list(groups.values())
