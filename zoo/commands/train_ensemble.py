"""`molzoo train` with several seeds or folds: an ensemble."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.train_recipes import free_folder
from zoo.recipe.mapping import from_mapping
from zoo.recipe.recipe import Recipe

if TYPE_CHECKING:
    from zoo.experiments.ensembles import EnsemblePlan


def plan_members(recipe: Recipe, seeds: Sequence[int] | None, folds: int | None, resplit: bool) -> EnsemblePlan | None:
    """Return the members that were asked for; `None` for a single run."""
    from zoo.experiments.ensembles import EnsemblePlan

    seeds = seeds or [recipe.seed]
    if folds is None and len(seeds) == 1:
        return None
    return EnsemblePlan(dataclasses.replace(recipe, seed=seeds[0]), tuple(seeds), folds, resplit)


def kept_plan(recipe: Recipe, folder: str) -> EnsemblePlan | None:
    """Return the members that a folder was started with; `None` for the folder of a single run."""
    from zoo.experiments.ensembles import EnsemblePlan
    from zoo.runs.folder import RunFolder

    kept = RunFolder(folder).facts.get("ensemble")
    return None if kept is None else from_mapping(EnsemblePlan, {**kept, "recipe": recipe})


def train_ensemble(plan: EnsemblePlan, options: Any, loud: bool) -> None:
    """Train the members that have no result yet, and print the results."""
    from zoo.commands.train_story import Story, load_data, print_json, summarize_ensemble
    from zoo.experiments.card import CardOptions
    from zoo.experiments.ensembles import MembersFailed, Setting, train_members
    from zoo.training import distributed

    resume = bool(options.resume)
    folder = Path(options.resume or distributed.broadcast(free_folder(plan.recipe, options.output, describe(plan))))
    dataset = load_data(plan.recipe, folder, resume, loud)
    if loud:
        print(f"ensemble   {folder}: {len(plan.members)} members")
    setting = Setting(
        workers=1 if distributed.size() > 1 else options.workers,
        device=options.device,
        trust=options.trust,
        progress=None if loud else False,
        callbacks=[Story()],
        projector=options.projector,
        report=print if loud else None,
        card=None if options.no_card else CardOptions(command=options.command),
    )
    try:
        outcome = train_members(plan, dataset=dataset, folder=folder, resume=resume, setting=setting)
    except MembersFailed as error:
        print(f"molzoo: error: {error}: try again with --resume {folder}", file=sys.stderr)
        raise SystemExit(1) from error
    if distributed.is_main() and options.json:
        print_json(outcome, members={str(folder / name): values for name, values in outcome.members.items()})
    elif distributed.is_main():
        summarize_ensemble(outcome, plan.folds)
    distributed.finish()


def describe(plan: EnsemblePlan) -> str:
    """Return the name of the members for a folder.

    Example:
        >>> from zoo.experiments.ensembles import EnsemblePlan
        >>> describe(EnsemblePlan(Recipe("gcn"), (0, 1, 2), 5))
        '3seeds-5folds'
    """
    seeds = [f"{len(plan.seeds)}seeds"] if len(plan.seeds) > 1 else []
    return "-".join([*seeds, *([f"{plan.folds}folds"] if plan.folds else [])])
