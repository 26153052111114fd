"""Checkpoints: a folder that is either whole or not there.

`recipe.json` says how to build the learner, `model.safetensors` holds the weights, `training_state.pt` what continues a
training run (it loads with `weights_only=True`), `versions.json` what wrote it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from zoo.recipe.recipe import Recipe

RECIPE, WEIGHTS = "recipe.json", "model.safetensors"
PACKAGES = ("molzoo", "torch", "dgl", "dgllife", "rdkit", "scikit-learn", "numpy")


class CheckpointError(ValueError):
    """A folder that is not a checkpoint, or does not fit the model."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder holds.

    Args:
        path: The folder.
        recipe: How the learner was built.
    """

    path: Path
    recipe: Recipe

    def load_into(self, model: nn.Module) -> None:
        """Put the weights into a model.

        Raises:
            CheckpointError: Names or shapes do not fit.
        """
        try:
            safetensors.torch.load_model(model, self.path / WEIGHTS)
        except RuntimeError as error:
            raise CheckpointError(
                f"{self.path} does not fit the model (one that was built by hand is given to zoo.load as model=...): "
                + " ".join(str(error).split())
            ) from error

    def training_state(self) -> dict[str, Any]:
        """State of the optimizer and of the training run."""
        return torch.load(self.path / "training_state.pt", weights_only=True)


def versions() -> dict[str, str]:
    """Versions of what computes, by package."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def write(path: str | Path, recipe: Recipe, model: nn.Module, state: Mapping[str, Any]) -> None:
    """Write the checkpoint of a torch model.

    Args:
        path: Folder; a checkpoint that is there already is replaced.
        recipe: How to build the learner.
        model: Its weights are written.
        state: What `Checkpoint.training_state` shall return: tensors, numbers, strings and containers of them.
    """

    def write_model(folder: Path) -> None:
        safetensors.torch.save_model(model, str(folder / WEIGHTS))
        torch.save(dict(state), folder / "training_state.pt")

    write_folder(path, recipe, write_model)


def write_folder(path: str | Path, recipe: Recipe, write_model: Callable[[Path], None]) -> None:
    """Write a checkpoint under a temporary name, then rename it.

    Args:
        path: Folder; a checkpoint that is there already is replaced.
        recipe: How to build the learner.
        write_model: Writes the files of the model into the folder that it gets.
    """
    path = Path(path)
    if path.exists() and not (path / RECIPE).exists():
        raise CheckpointError(f"{path} exists and is not a checkpoint: choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    write_model(new)
    (new / "versions.json").write_text(json.dumps(versions(), indent=2), encoding="utf-8")
    (new / RECIPE).write_text(recipe.to_json(), encoding="utf-8")
    old = previous(path)
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def previous(path: Path) -> Path:
    """Where the checkpoint that is being replaced waits until its successor is in place."""
    return path.with_name(f"{path.name}.previous")


def exists(path: str | Path) -> bool:
    """Whether there is a checkpoint at this place, or the one that was being replaced when a run was cut off."""
    return any(whole(folder) for folder in (Path(path).absolute(), previous(Path(path).absolute())))


def whole(folder: Path) -> bool:
    """Whether a folder is a checkpoint."""
    return (folder / RECIPE).exists() and (folder / "versions.json").exists()


def read(path: str | Path) -> Checkpoint:
    """Open a checkpoint; in the folder of a run, its best one.

    Raises:
        CheckpointError: There is none.
    """
    path = Path(path).absolute()  # "." has no name, and a checkpoint that is being replaced waits under a name
    for candidate in (path, path / "checkpoints" / "best", path / "checkpoints" / "last"):
        for folder in (candidate, previous(candidate)):
            if whole(folder):
                text = (folder / RECIPE).read_text(encoding="utf-8")
                return Checkpoint(folder, Recipe.from_json(text))
    raise CheckpointError(f"{path} holds no checkpoint: give a folder written by Learner.save or by a training run")
