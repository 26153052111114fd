"""Released checkpoints that are known: their checksums, and what they compute for a few molecules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from featurizers import PackedMolecules
from zoo.learners import Learner
from zoo.runs.checkpoint import CheckpointError
from zoo.training.modes import eval_mode

RELEASED = {
    "grover_base.pt": "47e095880d71baf29ea6f6253473cd56d5406213fa82959c6e14ea469e06b1de",
    "grover_large.pt": "4b0c436fbd6ed8539fa92a0c9f890878f5e3dd8591d959315e773efb6302baaa",
}
"""SHA-256 of files by the names under which they were released."""
TOLERANCE = 2e-4
"""Largest difference of two float32 implementations of these depths, by element; other weights differ by about 1."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of a learner with numbers of the released checkpoint of its size.

    Args:
        name: The released checkpoint.
        difference: Largest difference of an element.
        compared: Number of elements.
    """

    name: str
    difference: float
    compared: int

    @property
    def agrees(self) -> bool:
        """Whether weights and code are those of the release."""
        return self.difference <= TOLERANCE


def check_released(path: Path) -> tuple[str, ...]:
    """Return a note on a file that bears the name or has the content of a released one; no line for other files."""
    if path.name not in RELEASED and path.stat().st_size < 50_000_000:
        return ()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    found = digest.hexdigest()
    for name, known in RELEASED.items():
        if found == known:
            return (f"the released {name}, by its checksum",)
    if path.name in RELEASED:
        return (f"not the released {path.name}: its checksum is {found[:12]}..., not {RELEASED[path.name][:12]}...",)
    return ()


def compare_with_release(learner: Learner) -> Comparison:
    """Compare the embeddings of a GROVER with those of the released checkpoint of its size.

    Args:
        learner: Imported from a released checkpoint, with the branches for bonds or without.

    Raises:
        CheckpointError: No release of this size is known.

    Reference:
        Embeddings of `grover_base.pt` and `grover_large.pt` in the tests of jax-grover 0.2.1 (MIT): means over the
        atoms or directed bonds of ten molecules, first columns.
    """
    config = getattr(learner.model, "config", None)
    numbers = golden_numbers()
    size = config.hidden_size if learner.recipe.model.startswith("grover") and config else 0
    name = next((name for name, known in numbers["hidden_size"].items() if size == known), None)
    if name is None:
        raise CheckpointError("no released checkpoint of this model and size is known: nothing to compare with")
    found = mean_embeddings(learner, numbers["smiles"], numbers["columns"])
    expected = {branch: np.array(values) for branch, values in numbers[name].items() if branch in found}
    differences = [np.abs(found[branch] - values).max() for branch, values in expected.items()]
    return Comparison(f"grover_{name}.pt", float(max(differences)), sum(values.size for values in expected.values()))


def mean_embeddings(learner: Learner, smiles: list[str], columns: int) -> dict[str, np.ndarray]:
    """Return the first columns of the mean embedding of each molecule (n, columns), by branch."""
    model, rows = learner.model, []
    assert isinstance(model.encoder, torch.nn.Module)
    bonds = getattr(model.config, "embedding_output", "atom") == "both"
    with eval_mode(model), torch.no_grad():
        for text in smiles:
            graph = learner.featurizer.collate(PackedMolecules.pack([learner.featurizer.read(text)]))
            branches = vars(model.encoder(graph.to(learner.device), bonds=bonds))
            rows.append({name: mean_row(value, columns) for name, value in branches.items() if value is not None})
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def mean_row(states: torch.Tensor, columns: int) -> np.ndarray:
    """Return the mean over atoms or bonds of the first columns; zeros where a molecule has no bonds."""
    return states[:, :columns].sum(0).div(max(len(states), 1)).double().cpu().numpy()


@cache
def golden_numbers() -> Mapping[str, Any]:
    """Read the numbers: "smiles", "columns", "hidden_size" by release, and by release and branch (10, columns)."""
    return json.loads(files("zoo.importing").joinpath("golden_grover.json").read_text(encoding="utf-8"))
