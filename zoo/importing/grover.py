"""Released GROVER checkpoints, and those of KERMT, as `grover`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from zoo.importing.foreign import ForeignCheckpoint
from zoo.importing.pickled import Inert, check_tensors
from zoo.models.grover_weights import config_from_published, from_published, unused_tensors
from zoo.runs.checkpoint import CheckpointError

PREFIX = re.compile(r"^(module\.)?(latent_dist\.)?(grover|kermt)\.(?=encoders\.)")
MODULE = re.compile(r"^module\.")
HEADS = ("mol_atom_from_atom_ffn.", "mol_atom_from_bond_ffn.")


def is_grover(content: Mapping[str, Any]) -> bool:
    """Return whether this is what GROVER or KERMT writes."""
    tensors = content.get("state_dict")
    return isinstance(tensors, Mapping) and any(PREFIX.match(str(name)) for name in tensors)


def from_grover(path: Path, content: Mapping[str, Any]) -> ForeignCheckpoint:
    """Translate a checkpoint of GROVER or KERMT: pre-trained, or fine-tuned with its head.

    Args:
        path: Where it was read, for messages.
        content: What `read_pickled` gave.

    Raises:
        CheckpointError: It lacks weights, or its options cannot be reproduced.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), https://github.com/tencent-ailab/grover.
    """
    stored = content.get("args")
    args = stored.state if isinstance(stored, Inert) else stored
    if not isinstance(args, Mapping):
        raise CheckpointError(f"{path}: its options ('args') are missing, so its size and depth are unknown")
    checked = check_tensors(path, content["state_dict"])
    kermt = any("kermt." in name for name in checked)
    tensors = {PREFIX.sub("grover.", MODULE.sub("", name)): tensor for name, tensor in checked.items()}
    fine_tuned = any(name.startswith(HEADS) for name in tensors)
    try:
        config = config_from_published(args if fine_tuned else without_head(args), released_padding=False)
        weights = from_published(tensors, config, encoder_only=not fine_tuned)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} does not fit the published layout: {str(error)[:200]}") from error
    left = [name for name in unused_tensors(tensors, config) if not name.endswith("cached_zero_vector")]
    options = {name: value for name, value in vars(config).items() if name not in ("task", "num_tasks")}
    sizes = ("atom_size", "bond_size", "descriptor_size")
    descriptors = {"descriptors": "rdkit_2d_normalized"} if config.descriptor_size else {}
    return ForeignCheckpoint(
        origin="KERMT" if kermt else "GROVER",
        model="grover",
        model_args={name: value for name, value in options.items() if name not in sizes},
        featurizer="grover",
        featurizer_args={"chirality": "published", "hydrogens": "as_written", **descriptors},
        weights=weights if fine_tuned else {f"encoder.{name}": tensor for name, tensor in weights.items()},
        task="regression" if fine_tuned and config.task == "regression" else "binary",
        num_tasks=config.num_tasks if fine_tuned else 1,
        task_names=tuple(map(str, args.get("task_names") or ())) if fine_tuned else (),
        target_scaling=scaling(content.get("data_scaler")) if fine_tuned else None,
        untrained=() if fine_tuned else ("head",),
        notes=(f"{len(left)} tensors without a use here are left out, such as {left[0]!r}",) if left else (),
    )


def without_head(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the encoder: those of the head in a checkpoint of pre-training mean nothing."""
    head = ("dataset_type", "num_tasks", "ffn_hidden_size", "ffn_num_layers", "features_dim", "dist_coff")
    return {name: value for name, value in args.items() if name not in head}


def scaling(stored: Any) -> dict[str, list[float]] | None:
    """Return mean and standard deviation of the targets from a checkpoint's `data_scaler`."""
    if not isinstance(stored, Mapping) or stored.get("means") is None:
        return None
    mean, std = (np.ravel(read_array(stored[name])).astype(float).tolist() for name in ("means", "stds"))
    return {"mean": mean, "std": std}


def read_array(stored: Any) -> np.ndarray:
    """Return an array of floats that was pickled as NumPy's, as torch's or as a list.

    Raises:
        CheckpointError: It is of another type.
    """
    if isinstance(stored, Tensor):
        return stored.numpy()
    if not isinstance(stored, Inert):
        return np.asarray(stored, dtype=float)
    _, shape, dtype, _, data = (stored.state.get("state") or (None,) * 5)[:5]
    code = dtype.arguments[0] if isinstance(dtype, Inert) and dtype.arguments else ""
    if code not in ("f4", "f8") or not isinstance(data, bytes):
        raise CheckpointError("the scaling of its targets cannot be read: it is not an array of floats")
    return np.frombuffer(data, dtype=f"<{code}").reshape(shape)
