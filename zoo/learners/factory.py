"""The factory: named parts, classes or ready objects are put together into a `Learner`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from zoo.learners.baselines import TaskEstimators
from zoo.learners.estimator import Baseline
from zoo.learners.labels import as_kind
from zoo.learners.learner import Learner
from zoo.learners.names import Part, locate, name_of, registered_facts
from zoo.learners.parts import featurizer_of, make_optimizer, model_of, resolve_device
from zoo.learners.plans import chosen_options
from zoo.learners.transfer import adopt, parts_of, start_of, start_weights
from zoo.recipe.fitted import Fitted
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.recipe.start import StartOptions
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS
from zoo.registry.kinds import metrics_of, same_task
from zoo.training.randomness import keep_random_state, seed_generators

if TYPE_CHECKING:
    import pandas as pd

    from zoo.data import MoleculeDataset


def build(
    model: Part | None = None,
    *,
    optimizer: Part = "adam",
    featurizer: Part | None = None,
    num_tasks: int = 1,
    task: str = "classification",
    task_args: Mapping[str, Any] | None = None,
    feature_names: Sequence[str] = (),
    smiles_columns: Sequence[str] = (),
    own_encoders: bool = False,
    dataset: str | MoleculeDataset | pd.DataFrame | None = None,
    model_args: Mapping[str, Any] | None = None,
    optimizer_args: Mapping[str, Any] | None = None,
    featurizer_args: Mapping[str, Any] | None = None,
    init: str | os.PathLike[str] | StartOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Learner | Baseline:
    """Build a learner.

    Args:
        model: Name, class or `nn.Module`; a name from `zoo.list_models()`. `None` takes the model of `init`, or GROVER.
        optimizer: Name, class or torch optimizer over the model's parameters.
        featurizer: Name, class or `Featurizer`; `None` takes the model's own.
        num_tasks: Columns to predict, T.
        task: Kind of target: "classification" (two classes), "multiclass", "regression" or a registered one.
        task_args: Options of the kind of target, such as `{"num_classes": 4}` for "multiclass".
        feature_names: Numbers that the model reads next to a molecule, such as `["T", "pH"]`.
        smiles_columns: Columns of several molecules in a row, such as `["solute", "solvent"]`.
        own_encoders: Where a row has several molecules, an encoder for each column instead of one for all.
        dataset: Takes all of these but the last from a data set, or from what `zoo.data.load` finds under this name;
            `task` may name another kind of target with the same labels, such as "mean_variance" for numbers.
        model_args: Options of the model; `zoo.describe` lists them. Likewise the other two.
        optimizer_args: Options of the rule and of its base optimizer together, such as
            `{"rho": 0.1, "lr": 3e-4, "base": "adamw"}`.
        featurizer_args: Options of the featurizer.
        init: Checkpoint or run to start from, with its model and featurizer; or `zoo.recipe.StartOptions`, which can
            also freeze parts and give them learning rates of their own.
        seed: Of the initial weights and, in `fit`, of the batches and the split.
        device: "auto" takes a GPU where there is one.

    Raises:
        UnknownName: A name that is not in the catalog (the message has the closest one).
        TypeError: An option that the part does not have (the message lists those it has).

    Example:
        >>> import zoo
        >>> learner = zoo.build("grover", optimizer="graphsam", optimizer_args={"lr": 5e-4})
    """
    names: tuple[str, ...] = ()
    if dataset is not None:
        data = _load(dataset)
        data = data if same_task(task, "classification") else as_kind(data, task)
        num_tasks, task, names = data.num_tasks, data.task, data.task_names
        feature_names = feature_names or data.feature_names
        smiles_columns = smiles_columns or data.smiles_columns
        task_args = task_args_for(data, task_args)
    start = start_of(init)
    if start is not None and start.init is not None:
        model, featurizer = parts_of(start, model, featurizer)
    model = "grover" if model is None else model
    recipe = recipe_for(
        model,
        optimizer,
        featurizer,
        model_args=model_args,
        optimizer_args=optimizer_args,
        featurizer_args=featurizer_args,
        seed=seed,
    )
    recipe = replace(
        recipe,
        num_tasks=num_tasks,
        task=task,
        task_args=dict(task_args or {}),
        feature_names=tuple(feature_names),
        smiles_columns=tuple(smiles_columns),
        own_encoders=own_encoders,
        start=start,
    )
    featurizer = recipe.featurizer if featurizer is None else featurizer
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "featurizer": featurizer}
    learner = assemble(recipe, **parts, device=device, trust=True)  # the caller's own words, not a file's
    learner.fitted = replace(learner.fitted, task_names=names)
    _ = learner.optimizer  # made now, so that a wrong option is reported here
    return learner


@keep_random_state()
def assemble(
    recipe: Recipe,
    *,
    model: Part | None = None,
    optimizer: Part | None = None,
    featurizer: Part | None = None,
    device: str | torch.device = "auto",
    fitted: Fitted | None = None,
    trust: bool = False,
) -> Learner | Baseline:
    """Build the learner that a recipe describes.

    Args:
        recipe: What was asked for.
        model: Takes the place of the recipe's.
        optimizer: As `model`.
        featurizer: As `model`.
        device: "auto" takes a GPU where there is one.
        fitted: Of a checkpoint: its options replace the recipe's, so that defaults of today have no effect.
        trust: Import and build what the recipe names by `package.module:Class`; only for recipes whose code may run.

    Raises:
        UntrustedPlace: The recipe names such a place, and `trust` is false.
    """
    recipe = recipe if fitted is not None else adopt(recipe)
    model = locate(MODELS, model or recipe.model, trust)
    optimizer = locate(OPTIMIZERS, optimizer or recipe.optimizer, trust)
    featurizer = locate(FEATURIZERS, featurizer or recipe.featurizer, trust)
    chosen_featurizer, featurizer_options = featurizer_of(featurizer, recipe, fitted)
    seed_generators(recipe.seed)
    chosen_model, model_options = model_of(model, recipe, chosen_featurizer, fitted)
    started = fitted is not None
    if isinstance(model, (nn.Module, TaskEstimators)) and not started:
        recipe = replace(recipe, model_args=chosen_options(model, model_options))
    fitted = replace(
        fitted or untrained(recipe),
        model=model_options,
        featurizer=featurizer_options,
    )
    moved = None if started else start_weights(chosen_model, recipe)
    if isinstance(chosen_model, TaskEstimators):
        if recipe.optimizer_args:
            raise TypeError(f"model {recipe.model!r} is trained without an optimizer: optimizer_args have no effect")
        return Baseline(replace(recipe, optimizer=NO_OPTIMIZER), fitted, chosen_featurizer, chosen_model)
    chosen_model = chosen_model.to(resolve_device(device))
    deferred = partial(make_optimizer, optimizer, recipe, chosen_model)
    return Learner(recipe, fitted, chosen_featurizer, chosen_model, deferred, moved)


def untrained(recipe: Recipe) -> Fitted:
    """Return the outcome of building alone."""
    kind, columns = recipe.task or "classification", recipe.smiles_columns or ()
    fitted = Fitted(recipe.num_tasks or 1, kind, recipe.task_args, smiles_columns=columns)
    return replace(fitted, feature_names=recipe.feature_names or ())


def recipe_for(
    model: Part = "grover",
    optimizer: Part = "adam",
    featurizer: Part | None = None,
    *,
    model_args: Mapping[str, Any] | None = None,
    optimizer_args: Mapping[str, Any] | None = None,
    featurizer_args: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Recipe:
    """The recipe of a choice of parts, for one classification task; arguments as in `build`."""
    facts = registered_facts(model)
    if featurizer is None:
        featurizer = facts.get("featurizer", "grover")
    without = facts.get("trains_itself") or (isinstance(optimizer, str) and optimizer == NO_OPTIMIZER)
    return Recipe(
        model=name_of(model, MODELS),
        optimizer=NO_OPTIMIZER if without else name_of(optimizer, OPTIMIZERS),
        featurizer=name_of(featurizer, FEATURIZERS),
        model_args=dict(model_args or {}),
        optimizer_args=dict(optimizer_args or {}),
        featurizer_args=dict(featurizer_args or {}),
        seed=seed,
    )


def _load(dataset: Any) -> MoleculeDataset:
    from zoo import data

    return dataset if isinstance(dataset, data.MoleculeDataset) else data.load(dataset)


def with_dataset(recipe: Recipe, data: MoleculeDataset) -> Recipe:
    """The recipe with the tasks of a data set.

    Raises:
        ValueError: The recipe asks for another number of tasks, another kind, or a kind that is not measured so.
    """
    names = ", ".join(data.task_names[:5]) + (", ..." if data.num_tasks > 5 else "")
    if recipe.num_tasks not in (None, data.num_tasks):
        raise ValueError(
            f"the recipe asks for num_tasks={recipe.num_tasks}, and {data.name} has {data.num_tasks} ({names}): leave "
            "num_tasks out of the recipe, or name as many label columns with tasks= (--tasks)"
        )
    if recipe.task is not None and not same_task(recipe.task, data.task):
        raise ValueError(
            f"the recipe asks for task={recipe.task!r}, and {data.name} was read as {data.task!r} ({names}): leave "
            "task out of the recipe, or name the kind that you mean with --task"
        )
    if recipe.task is not None and data.metric not in (known := metrics_of(recipe.task)):
        raise ValueError(
            f"the recipe asks for task={recipe.task!r}, and {data.name} is measured by {data.metric}, which is for "
            f"another kind of target: choose a recipe and data that fit each other, or name a metric with --metric "
            f"({', '.join(known)})"
        )
    for name, option in (("feature_names", "feature_columns"), ("smiles_columns", "smiles_columns")):
        asked, there = getattr(recipe, name), getattr(data, name)
        if asked is not None and asked != there:
            raise ValueError(
                f"the recipe asks for {name}={list(asked)}, and {data.name} was read with {list(there)}: leave them "
                f"out of the recipe, or name these columns with {option}="
            )
    task_args = task_args_for(data, recipe.task_args)
    recipe = replace(recipe, feature_names=data.feature_names or None, smiles_columns=data.smiles_columns or None)
    return replace(recipe, num_tasks=data.num_tasks, task=data.task, task_args=task_args)


def task_args_for(data: MoleculeDataset, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options of the kind of target that a data set knows, then those that were given."""
    counted: dict[str, Any] = {"num_classes": data.num_classes} if data.num_classes else {}
    if data.task_kinds:
        counted["kinds"] = list(data.task_kinds)
    return {**counted, **(given or {})}
