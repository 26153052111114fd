"""Recipes and folders of `molzoo train`: from options, or from the run that continues."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions
from zoo.recipe.overriding import override
from zoo.recipe.presets import find
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.runs.names import next_folder


def start_recipe(parser: CommandParser, arguments: list[str], named: str | None, default: Recipe) -> Recipe:
    """Return the recipe that options override: the named one, with the parts of the weights to start from."""
    from zoo.learners.transfer import with_parts_of

    start = find(named) if named else default
    init = parser.parse_given(arguments).get("start", {}).get("init")
    return start if init is None else with_parts_of(start, init)


def recipe_from_options(parser: CommandParser, arguments: list[str], start: Recipe) -> Recipe:
    """Return a recipe with the options that were given in place of its own."""
    given = parser.parse_given(arguments, start.to_dict())
    if "loss" in given:
        given["task_args"] = {**start.task_args, **given.get("task_args", {}), "loss": given["loss"]}
    fields = {"model", "optimizer", "featurizer", "model_args", "optimizer_args", "featurizer_args", "task_args",
              "own_encoders"}  # fmt: skip
    return override(start, {name: given[name] for name in given if name in fields | {"data", "training", "start"}})


def recipe_to_resume(parser: CommandParser, arguments: list[str], folder: str, loud: bool) -> Recipe:
    """Return the recipe with which a run continues: its own, except for options that may change."""
    from zoo.experiments.resuming import continue_recipe, describe_continuation, stored_recipe

    given = parser.parse_given(arguments)
    other = sorted({"recipe", "output"} & given.keys())
    if other:
        raise ValueError(f"--resume takes the run's own recipe and folder: leave --{' and --'.join(other)} out")
    stored = stored_recipe(folder)
    refuse_other_members(folder, stored, given)
    recipe = continue_recipe(folder, recipe_from_options(parser, arguments, without_cache(stored)))
    cache = stored.training.cache_dir if stored.training else None
    if cache is not None and loud and not (recipe.training and recipe.training.cache_dir):
        print(f"cache      not used: name it again with --cache-dir {cache}")
    line = describe_continuation(folder, recipe)
    if line and loud:
        print(f"continued  {line}")
    return recipe


def refuse_other_members(folder: str, stored: Recipe, given: Mapping[str, Any]) -> None:
    """Raise a `ValueError` if other seeds or folds were given than a folder holds."""
    from zoo.runs.folder import RunFolder

    kept = {"folds": None, "resplit": False, "seeds": [stored.seed], **(RunFolder(folder).facts.get("ensemble") or {})}
    for name, value in kept.items():
        if given.get(name, value) != value:
            has = f"seed {stored.seed}" if (name, value) == ("seeds", [stored.seed]) else f"{name} {value}"
            raise ValueError(f"--resume {folder}: the run has {has}: leave --{name} out")


def without_cache(recipe: Recipe) -> Recipe:
    """Return a recipe that names no cache folder: one that only a file names is not written unasked."""
    if recipe.training is None:
        return recipe
    return dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, cache_dir=None))


def free_folder(recipe: Recipe, output: str | None, members: str = "") -> Path:
    """Return the folder that the user named, or the next free one below `runs`.

    Args:
        recipe: What is trained.
        output: What the user named.
        members: What an ensemble consists of, such as "5folds"; the name has the seed of a single run.
    """
    if output is not None:
        return Path(output)
    source = Path((recipe.data or DataOptions()).source).stem.split(".")[0]
    trainer = "" if recipe.optimizer == NO_OPTIMIZER else f"-{recipe.optimizer}"
    return next_folder(f"{source}-{recipe.model}{trainer}-{members or f'seed{recipe.seed}'}")
