"""Options that `--resume` may change: the place of the data, those that change no number, and more epochs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.continuing import differences
from zoo.runs.folder import RunFolder
from zoo.runs.state import FINISHED

# What the data say and nobody asks for.
FOUND = ("num_tasks", "task", "feature_names", "smiles_columns")
COUNTED = ("num_classes", "kinds")


def stored_recipe(folder: str | Path) -> Recipe:
    """Return the recipe of the run in a folder.

    Raises:
        FileNotFoundError: There is no run.
    """
    recipe = RunFolder(folder).recipe
    if recipe is None:
        raise FileNotFoundError(f"{folder} is not the folder of a run: its recipe.json is missing or empty")
    return recipe


def continue_recipe(folder: str | Path, asked: Recipe) -> Recipe:
    """Return the recipe with which a run continues.

    Args:
        folder: Folder of the run.
        asked: Its recipe with what the user wants otherwise.

    Raises:
        ValueError: Something was asked for that the run has done otherwise already.
    """
    stored = stored_recipe(folder)
    counted = {name: value for name, value in stored.task_args.items() if name in COUNTED}
    found = {name: getattr(stored, name) for name in FOUND}
    asked = dataclasses.replace(asked, **found, task_args={**counted, **asked.task_args})
    changed = differences(stored, asked, same_data=True)
    if changed:
        flags = "; ".join(f"{flag(name)} is {old!r} there, not {new!r}" for name, (old, new) in changed.items())
        remedy = "leave these options out, or start a new run with --recipe and another --output"
        if "training.epochs" in changed:
            remedy = "only a larger number of epochs continues a run; " + remedy
        raise ValueError(f"--resume {folder}: the run has other options ({flags}): {remedy}")
    return asked


def flag(name: str) -> str:
    """Return the option of the command line for a field of a recipe."""
    section, _, field = name.partition(".")
    if not field or section.endswith("_args"):
        return "--" + section.replace("_", "-") + (f".{field}" if field else "")
    return "--" + ("data" if name == "data.source" else field).replace("_", "-")


def describe_continuation(folder: str | Path, asked: Recipe) -> str | None:
    """Describe what more epochs mean for the learning rate, or report that nothing is left to train."""
    before, after = stored_recipe(folder).training or TrainingOptions(), asked.training or TrainingOptions()
    if after.epochs is None or (before.epochs is not None and after.epochs <= before.epochs):
        finished = RunFolder(folder).state.name == FINISHED
        return f"all {before.epochs or ''} epochs are trained: a larger --epochs trains it longer" if finished else None
    rate = {
        "noam": f"the learning rate stays at its last value after epoch {before.epochs}, where the schedule ended",
        "constant": "the learning rate stays as it is",
    }.get(before.schedule, f"schedule {before.schedule!r} goes on as it was planned for {before.epochs} epochs")
    return f"{before.epochs} epochs become {after.epochs}: {rate}"
