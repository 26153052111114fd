"""Measuring members together: on a test part that is new to all of them, and out of fold."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from zoo.data import MoleculeDataset, Split, free_name
from zoo.experiments.ensembles.outcome import EnsembleOutcome
from zoo.experiments.ensembles.plan import EnsemblePlan
from zoo.experiments.testing import choose_test, load_test_file, warn_of_overlap
from zoo.learners.ensemble import Ensemble
from zoo.recipe.fitted import Fitted
from zoo.runs.folder import RunFolder
from zoo.runs.machine import describe_machine, describe_versions


def measure(
    plan: EnsemblePlan,
    ensemble: Ensemble,
    dataset: MoleculeDataset,
    splits: Sequence[Split],
    top: RunFolder,
    kept: bool,
) -> EnsembleOutcome:
    """Measure an ensemble whose members are trained, and write the results.

    Args:
        plan: The members.
        ensemble: The members, trained.
        dataset: Their data.
        splits: Their parts.
        top: The folder of the ensemble.
        kept: Whether the folder stays.
    """
    metrics = {member.name: RunFolder(top.path / member.name).metrics for member in plan.members}
    outcome = EnsembleOutcome(ensemble, metrics, folder=top.path if kept else None)
    test = new_molecules(plan, dataset, splits)
    if test is not None and len(test):
        found = ensemble.predictions(test)
        table = attach(test, ensemble.fitted, {"predicted": found.values, "sd": found.spread})
        outcome = dataclasses.replace(outcome, test=ensemble.score(test, found.values), predictions=table)
        if top.writes:
            top.write_test_predictions(table)
    if plan.folds is not None:
        values, spread = out_of_fold(plan, ensemble, dataset, splits)
        table = attach(
            dataset, ensemble.fitted, {"predicted": values, "sd": spread}, fold_columns(plan, dataset, splits)
        )
        outcome = dataclasses.replace(outcome, pooled=ensemble.score(dataset, values), predictions=table)
        if top.writes:
            top.write_out_of_fold(table)
    if top.writes:
        top.note(versions=describe_versions(), machine=describe_machine(None))
        top.write_metrics(outcome.to_dict())
    return outcome


def new_molecules(plan: EnsemblePlan, dataset: MoleculeDataset, splits: Sequence[Split]) -> MoleculeDataset | None:
    """Return molecules that no member was trained on: the shared test part, or a test file; `None` without any."""
    if plan.shares_parts:
        return choose_test(splits[0], plan.source)
    if plan.source.test_file is None:
        return None
    test = load_test_file(dataset, plan.source)
    warn_of_overlap(test, dataset, plan.source)
    return test


def out_of_fold(
    plan: EnsemblePlan, ensemble: Ensemble, dataset: MoleculeDataset, splits: Sequence[Split]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predict each molecule by the member that has neither trained nor validated on it.

    Returns:
        Mean over the seeds (n, ...), and their standard deviation (ddof=1) where there are several.
    """
    repeats: dict[int, np.ndarray] = {}
    for member, learner, split in zip(plan.members, ensemble.members, splits, strict=True):
        values = learner.predict(split.test)
        whole = repeats.setdefault(member.seed, np.full((len(dataset), *values.shape[1:]), np.nan, values.dtype))
        whole[split.indices[2]] = values
    together = np.stack(list(repeats.values()))
    return together.mean(axis=0), together.std(axis=0, ddof=1) if len(together) > 1 else None


def fold_columns(plan: EnsemblePlan, dataset: MoleculeDataset, splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """Number of the fold of each molecule, -1 where it is in none: one column, or one for each seed that cuts anew."""
    columns: dict[str, np.ndarray] = {}
    anew = plan.source.split_seed is None and len(plan.seeds) > 1
    for member, split in zip(plan.members, splits, strict=True):
        name = f"fold_seed{member.seed}" if anew else "fold"
        columns.setdefault(name, np.full(len(dataset), -1))[split.indices[2]] = member.fold
    return columns


def attach(
    dataset: MoleculeDataset,
    fitted: Fitted,
    predicted: dict[str, np.ndarray | None],
    columns: dict[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return the rows of a data set with other columns next to them.

    Args:
        dataset: n molecules.
        fitted: With the names of the predictions.
        predicted: Numbers (n, ...) by the word that precedes their names; None leaves one out.
        columns: Further columns (n,), which come first.
    """
    carried = dataset.to_frame(extras=True)
    found: dict[str, Any] = {free_name(name, carried.columns): column for name, column in (columns or {}).items()}
    for word, values in predicted.items():
        if values is not None:
            flat = values.reshape(len(values), len(fitted.column_names)).T
            names = [free_name(f"{word}_{name}", carried.columns) for name in fitted.column_names]
            found |= dict(zip(names, flat, strict=True))
    return carried.join(pd.DataFrame(found, index=carried.index))
