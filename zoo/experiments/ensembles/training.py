"""Training of the members of an ensemble, one after another or side by side, and the folder that keeps them."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data import MoleculeDataset, load, split_by_options
from zoo.data.splits import refuse_seeds
from zoo.experiments import experiment
from zoo.experiments.ensembles.measuring import measure
from zoo.experiments.ensembles.members import MemberFolders, Setting, train_one_by_one, train_side_by_side
from zoo.experiments.ensembles.outcome import EnsembleOutcome
from zoo.experiments.ensembles.plan import EnsemblePlan
from zoo.learners.factory import recipe_for, with_dataset
from zoo.learners.given_data import describe_data
from zoo.learners.loading import load_ensemble
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.trust import require_trust
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.ensemble_folder import EnsembleFolder, open_ensemble
from zoo.runs.folder import RunFolder
from zoo.runs.state import FINISHED
from zoo.training import distributed

if TYPE_CHECKING:
    import pandas as pd


class MembersFailed(RuntimeError):
    """Members of an ensemble have no result; the others are kept."""


def cross_validate(
    recipe: Recipe | str,
    dataset: MoleculeDataset | str | pd.DataFrame | None = None,
    *,
    folds: int = 5,
    split: str | None = None,
    seeds: Sequence[int] | None = None,
    **options: Any,
) -> EnsembleOutcome:
    """Train on folds, each of which is predicted by the member that has not seen it.

    Args:
        recipe: What is trained, or the name of a model.
        dataset: A data set, or what `zoo.data.load` takes; None loads what the recipe names.
        folds: How many, at least 3: one tests, the next one validates, the others train.
        split: How they are cut: `kfold` (or "random"), `scaffold_kfold` (or "scaffold"), `stratified_kfold` (or
            "random_stratified"); None takes the recipe's.
        seeds: Repeats: folds are cut and members trained for each; None takes the recipe's.
        **options: Those of `train_members`, and fields of `zoo.recipe.TrainingOptions`, such as `epochs=10`.

    Example:
        >>> import zoo
        >>> data = zoo.data.load((["C" * n for n in range(1, 31)], [float(n) for n in range(30)]), task="regression")
        >>> found = zoo.cross_validate("gradient_boosting", data, folds=3, split="kfold")
        >>> len(found.predictions), len(found.ensemble.members)
        (30, 3)
    """
    dataset = dataset if dataset is None or isinstance(dataset, MoleculeDataset) else load(dataset)
    recipe, others = complete(recipe, dataset, split, options)
    plan = EnsemblePlan(recipe, (recipe.seed,) if seeds is None else tuple(seeds), folds)
    return train_members(plan, dataset=dataset, **others)


def train_seeds(
    recipe: Recipe | str,
    dataset: MoleculeDataset | str | pd.DataFrame | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    split: str | None = None,
    resplit: bool = False,
    **options: Any,
) -> EnsembleOutcome:
    """Train a recipe once for each seed, on the same parts.

    Args:
        recipe: What is trained, or the name of a model.
        dataset: As in `cross_validate`.
        seeds: Of weights and batches.
        split: How the data are cut; None takes the recipe's.
        resplit: Cut the data anew for each seed; then no test part is new to all members.
        **options: As in `cross_validate`.
    """
    dataset = dataset if dataset is None or isinstance(dataset, MoleculeDataset) else load(dataset)
    recipe, others = complete(recipe, dataset, split, options)
    return train_members(EnsemblePlan(recipe, tuple(seeds), resplit=resplit), dataset=dataset, **others)


def complete(
    recipe: Recipe | str, dataset: MoleculeDataset | None, split: str | None, options: Mapping[str, Any]
) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe with its data, split and training options, and the options that are something else."""
    recipe = recipe_for(recipe) if isinstance(recipe, str) else recipe
    data = recipe.data or (DataOptions() if dataset is None else describe_data(dataset, None))
    data = data if split is None else dataclasses.replace(data, split=split)
    names = {field.name for field in dataclasses.fields(TrainingOptions)}
    training = {name: value for name, value in options.items() if name in names}
    asked = {**dataclasses.asdict(recipe.training or TrainingOptions()), **training}
    recipe = dataclasses.replace(recipe, data=data, training=from_mapping(TrainingOptions, asked))
    return recipe, {name: value for name, value in options.items() if name not in names}


def train_members(
    plan: EnsemblePlan,
    *,
    dataset: MoleculeDataset | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    setting: Setting | None = None,
    **options: Any,
) -> EnsembleOutcome:
    """Train the members that have no result yet, and measure them together.

    Args:
        plan: The members.
        dataset: Already loaded; None loads what the recipe names.
        folder: Where the members (`seed0`, `fold0`, ...), `ensemble.json` and the results go; None keeps nothing.
        resume: Go on in a folder that holds some of it.
        setting: How members are trained.
        **options: Fields of `Setting`, in its place.

    Raises:
        MembersFailed: Some have no result, because their training diverged, say; resuming tries them again.
        CheckpointError: The folder holds something else.
        DataError: A fold or part would be empty.
    """
    setting = setting or Setting(**options)
    require_trust(plan.recipe, setting.trust)
    dataset = experiment.load_dataset(plan.recipe.asked_data) if dataset is None else dataset
    recipe = with_dataset(plan.recipe, dataset)
    recipe = dataclasses.replace(recipe, data=plan.source, training=recipe.training or TrainingOptions())
    plan = dataclasses.replace(plan, recipe=recipe)
    members = plan.members
    refuse_seeds(members[0].recipe.data or plan.source, [member.seed for member in members])
    splits = [split_by_options(dataset, member.recipe.data or plan.source, member.seed) for member in members]
    experiment.prepare(members[0].recipe, dataset, setting.device, setting.projector, trust=setting.trust)
    with place_of(folder) as path:
        top = RunFolder(path, writes=distributed.is_main())
        found = EnsembleFolder(path, tuple(member.name for member in members), (1.0,) * len(members))
        folders = MemberFolders(path)
        kept = open_ensemble(path)
        if kept is not None and resume and all(folders.done(member) == FINISHED for member in members):
            found = kept  # with what came after its training, such as a calibration
        with top.running():
            open_folder(top, plan, dataset, splits[0] if plan.shares_parts else None, resume)
            if setting.workers > 1:
                train_side_by_side(members, folders, dataset, setting, resume)
            else:
                train_one_by_one(members, folders, dataset, setting, resume)
            distributed.barrier()
            refuse_failed(members, folders)
            if top.writes:
                found.note()
            distributed.barrier()
            ensemble = load_ensemble(found, setting.device, setting.trust)
            return measure(plan, ensemble, dataset, splits, top, kept=folder is not None)


@contextmanager
def place_of(folder: str | Path | None) -> Iterator[Path]:
    """Give the folder, or one that is removed after the block."""
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="molzoo-ensemble-") as path:
        yield Path(path)


def open_folder(top: RunFolder, plan: EnsemblePlan, dataset: MoleculeDataset, parts: Any, resume: bool) -> None:
    """Start an ensemble in a folder, or go on with it.

    Raises:
        CheckpointError: It holds something else.
    """
    if not top.writes:  # the main process of several sees to it
        return
    kept = top.facts.get("ensemble")
    if resume and kept is not None and kept != plan.to_dict():
        raise CheckpointError(f"{top.path} holds an ensemble of {kept}, not of {plan.to_dict()}: choose another folder")
    if kept is not None and not resume:
        raise CheckpointError(f"{top.path} holds an ensemble already: choose another folder, or resume it")
    top.open(plan.recipe, dataset, parts, resume)
    top.note(ensemble=plan.to_dict())


def refuse_failed(members: Sequence[Any], folders: MemberFolders) -> None:
    """Raise `MembersFailed` with the reasons, unless all members have a result."""
    states = {member.name: folders.folder(member).state for member in members}
    failed = {name: state for name, state in states.items() if state.name != FINISHED}
    if failed:
        reasons = "; ".join(f"{name}: {state.reason or state.name}" for name, state in list(failed.items())[:3])
        more = ", ..." if len(failed) > 3 else ""
        raise MembersFailed(f"{len(failed)} of {len(members)} members have no result ({reasons}{more})")
