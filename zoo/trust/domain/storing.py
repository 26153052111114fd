"""Domains on disk: one `safetensors` file next to the checkpoint, which holds numbers and text and runs no code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from zoo.runs.checkpoint import CheckpointError, damage_error
from zoo.runs.durable import naming
from zoo.runs.folder import DOMAIN
from zoo.trust.domain.domain import Domain
from zoo.trust.domain.fingerprints import NUM_BYTES

FORMAT = 1  # next to the other facts: the order of several entries in the file would differ from time to time


def write_domain(domain: Domain, folder: Path) -> Path:
    """Write a domain into the folder of a run or a checkpoint; the file is complete or not there."""
    text = "\n".join(domain.smiles).encode("utf-8", "surrogatepass")
    tensors = {
        "fingerprints": np.ascontiguousarray(domain.fingerprints),
        "targets": np.ascontiguousarray(domain.targets, np.float32),
        "smiles": np.frombuffer(text, np.uint8),
    }
    facts = {
        "format": FORMAT,
        "task_names": list(domain.task_names),
        "threshold": domain.threshold,
        "trained_on": domain.trained_on,
    }
    file, new = folder / DOMAIN, folder / f".{DOMAIN}.new-{os.getpid()}"
    try:
        with naming(file):
            new.write_bytes(safetensors.numpy.save(tensors, {"facts": json.dumps(facts)}))
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return file


def read_domain(file: Path) -> Domain:
    """Read what `write_domain` wrote.

    Raises:
        CheckpointError: The file is damaged, or holds something else.
    """
    try:
        with safetensors.safe_open(file, framework="numpy") as stored:
            facts: Any = json.loads((stored.metadata() or {})["facts"])
            arrays = {name: stored.get_tensor(name) for name in ("fingerprints", "targets", "smiles")}
        smiles = arrays["smiles"].tobytes().decode("utf-8", "surrogatepass").split("\n")
        names = tuple(str(name) for name in facts["task_names"])
        domain = Domain(
            arrays["fingerprints"],
            smiles,
            arrays["targets"].astype(np.float32),
            names,
            float(facts["threshold"]),
            int(facts["trained_on"]),
        )
    except (safetensors.SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        raise damage_error(file, error) from error
    refuse_misfits(domain, file)
    return domain


def refuse_misfits(domain: Domain, file: Path) -> None:
    """Raise a `CheckpointError` if the parts of a domain do not fit each other."""
    rows, packed = len(domain.smiles), domain.fingerprints
    fits = (
        packed.dtype == np.uint8
        and packed.shape == (rows, NUM_BYTES)
        and domain.targets.shape == (rows, len(domain.task_names))
        and 0 <= domain.threshold <= 1
    )
    if not fits:
        raise CheckpointError(f"{file} is damaged: its arrays do not fit each other; write it again with `molzoo card`")
