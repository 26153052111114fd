"""Checkpoints: a folder that is either complete or not there.

`recipe.json` says what was asked for, `fitted.json` what came of it (see `zoo.recipe.Fitted`), `model.safetensors`
holds the weights, `training_state.pt` what continues a training run (it loads with `weights_only=True`),
`versions.json` what wrote it.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from zoo.recipe.fitted import Fitted
from zoo.recipe.mapping import from_mapping
from zoo.recipe.recipe import Recipe
from zoo.runs.checkpoint_errors import MOST_CHARACTERS, CheckpointError, damage_error, require_own_files, unwritten
from zoo.runs.durable import naming, remove_orphans, sync_folder
from zoo.runs.json_files import write_text
from zoo.runs.package_versions import versions as versions
from zoo.runs.shipped_weights import locate_checkpoint
from zoo.runs.weights import copy_weights, put_weights

RECIPE, FITTED, VERSIONS = "recipe.json", "fitted.json", "versions.json"
WEIGHTS, STATE = "model.safetensors", "training_state.pt"


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint folder.

    Args:
        path: The folder.
        recipe: What was asked for.
        fitted: What came of it.
    """

    path: Path
    recipe: Recipe
    fitted: Fitted

    def load_into(self, model: nn.Module) -> None:
        """Put the weights into a model; parts that are not trained keep what they have.

        Raises:
            CheckpointError: The file is damaged, names or shapes do not fit, or a weight is NaN or infinite.
        """
        try:
            put_weights(model, safetensors.torch.load_file(self.path / WEIGHTS), self.fitted.untrained)
        except (safetensors.SafetensorError, OSError) as error:
            raise damage_error(self.path / WEIGHTS, error) from error
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(
                f"{self.path} does not fit the model (one that was built by hand is given to zoo.load as model=...): "
                f"{reason[:MOST_CHARACTERS]}{'...' if len(reason) > MOST_CHARACTERS else ''}"
            ) from error

        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                raise CheckpointError(
                    f"{self.path / WEIGHTS}: {name} has NaN or infinite values: take another checkpoint"
                )

    def training_state(self) -> dict[str, Any]:
        """State of the optimizer and of the training run.

        Raises:
            CheckpointError: The file is damaged.
        """
        try:
            return torch.load(self.path / STATE, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
            raise damage_error(self.path / STATE, error) from error


def write(path: str | Path, recipe: Recipe, fitted: Fitted, model: nn.Module, state: Mapping[str, Any]) -> None:
    """Write the checkpoint of a torch model.

    Args:
        path: Folder; a checkpoint that is there already is replaced.
        recipe: What was asked for.
        fitted: What came of it.
        model: Its weights are written.
        state: What `Checkpoint.training_state` returns: tensors, numbers, strings and containers of them.
    """

    def write_model(folder: Path) -> None:
        try:
            safetensors.torch.save_file(copy_weights(model), str(folder / WEIGHTS))
        except safetensors.SafetensorError as error:
            raise unwritten(path, error) from error
        try:
            torch.save(dict(state), folder / STATE)
        except RuntimeError as error:  # its words for a full disk depend on where the file was cut off
            raise unwritten(path, error) from error

    write_folder(path, recipe, fitted, write_model)


def write_folder(path: str | Path, recipe: Recipe, fitted: Fitted, write_model: Callable[[Path], None]) -> None:
    """Write a checkpoint atomically: under a temporary name, to the disk, then rename it.

    Args:
        path: Folder; a checkpoint that is there already is replaced. A link is replaced, not followed.
        recipe: What was asked for.
        fitted: What came of it.
        write_model: Writes the files of the model into the folder that it gets.
    """
    path = Path(path)
    if path.exists() and not (path / RECIPE).exists():
        raise CheckpointError(f"{path} exists and is not a checkpoint: choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_orphans(path)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        with naming(path):
            write_model(new)
            (new / VERSIONS).write_text(json.dumps(versions(), indent=2), encoding="utf-8")
            (new / FITTED).write_text(fitted.to_json(), encoding="utf-8")
            (new / RECIPE).write_text(recipe.to_json(), encoding="utf-8")
            sync_folder(new)
        replace(path, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def rewrite_fitted(path: str | Path, fitted: Fitted) -> None:
    """Write anew what came of a training, atomically, into a checkpoint that is there; without one nothing happens."""
    if exists(path):
        write_text(read(path).path / FITTED, fitted.to_json())


def replace(path: Path, new: Path) -> None:
    """Put a folder in the place of another one, which waits as `previous` meanwhile."""
    old = previous(path)
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
    new.rename(path)
    sync_folder(path.parent, files=False)
    shutil.rmtree(old, ignore_errors=True)


def previous(path: Path) -> Path:
    """Return the path at which a checkpoint waits while it is replaced."""
    return path.with_name(f"{path.name}.previous")


def exists(path: str | Path) -> bool:
    """Return whether there is a checkpoint at this place, or the one that was being replaced when a run was cut off."""
    return any(is_complete(folder) for folder in (Path(path).absolute(), previous(Path(path).absolute())))


def is_complete(folder: Path) -> bool:
    """Return whether a folder is a checkpoint; a power failure may leave empty files under their final names."""
    return all((folder / name).exists() and (folder / name).stat().st_size for name in (RECIPE, VERSIONS))


def read(path: str | Path) -> Checkpoint:
    """Open a checkpoint; in the folder of a run, its best one.

    Args:
        path: Folder, or the name of a pre-trained encoder of the catalog.

    Raises:
        CheckpointError: There is none, it is damaged, or a newer version wrote it.
    """
    path = locate_checkpoint(path)
    for candidate in (path, path / "checkpoints" / "best", path / "checkpoints" / "last"):
        for folder in (candidate, previous(candidate)):
            if is_complete(folder):
                require_own_files(folder)
                return Checkpoint(folder, *read_descriptions(folder))
    raise CheckpointError(f"{path} holds no checkpoint: give a folder written by Learner.save or by a training run")


def fitted_of_run(folder: str | Path) -> Fitted | None:
    """Return what the run in a folder consists of; `None` before its first checkpoint."""
    for name in ("last", "best"):
        place = Path(folder) / "checkpoints" / name
        if exists(place):
            return read(place).fitted
    return None


def refuse_other_options(folder: str | Path, fitted: Fitted) -> None:
    """Raise a `CheckpointError` if the run in a folder was started with other options than a learner was built with.

    Defaults may have changed in between: weights of the same shapes would then go on with another dropout.
    """
    saved = fitted_of_run(folder)
    for part in ("model", "featurizer"):
        old, new = getattr(saved, part, None) or {}, getattr(fitted, part) or {}
        for name in old.keys() & new.keys():
            if old[name] != new[name]:
                raise CheckpointError(
                    f"{folder} holds a run whose {part} has {name}={old[name]!r}, this one has {new[name]!r}: build "
                    f"the learner with {part}_args={{{name!r}: {old[name]!r}}}, or choose another folder"
                )


def read_descriptions(folder: Path) -> tuple[Recipe, Fitted]:
    """Read the recipe and its outcome."""
    values = read_mapping(folder / RECIPE)
    try:
        recipe = Recipe.from_dict(values)
        if not (folder / FITTED).exists():
            return recipe, Fitted.from_recipe(values)
        return recipe, from_mapping(Fitted, read_mapping(folder / FITTED))
    except (TypeError, LookupError, ValueError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}{by_whom(folder)}") from error


def by_whom(folder: Path) -> str:
    """Return the hint at another version, as the end of a message."""
    return (
        f". It was written by a newer version of molzoo ({wrote(folder)}; this is {versions()['molzoo']}) or changed "
        "by hand: update with `pip install --upgrade molzoo`"
    )


def wrote(folder: Path) -> str:
    """Return the version of this package that wrote a checkpoint."""
    try:
        return str(read_mapping(folder / VERSIONS).get("molzoo", "unknown"))
    except CheckpointError:
        return "unknown"


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a JSON file that holds a mapping.

    Raises:
        CheckpointError: It does not.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damage_error(file, error) from error
    if not isinstance(values, dict):
        raise damage_error(file, ValueError(f"a mapping is expected, not {type(values).__name__}"))
    return values
