"""Verification of a run: do its data, its predictions and its training give the same numbers here and now?"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from zoo.data.errors import DataError
from zoo.experiments import experiment
from zoo.experiments.parts import choose_part, load_again
from zoo.learners import Learner, loading
from zoo.runs import checkpoint
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.folder import RunFolder

TOLERANCE = 1e-4
"""Largest difference of predictions that rounding explains, where the machine or a version is another one."""


@dataclass(frozen=True)
class Check:
    """One thing that was verified.

    Args:
        name: What was compared.
        passed: Whether it agrees; `None` where that cannot be said.
        detail: What was found.
    """

    name: str
    passed: bool | None
    detail: str


def verify(
    run: str | Path, *, quick: bool = False, data: str | None = None, device: str = "cpu", trust: bool = False
) -> list[Check]:
    """Compare a run with what its recipe gives here: versions, data, predictions and, unless `quick`, the training.

    Args:
        run: Folder of a run.
        quick: Do not train again.
        data: New place of the run's data, if they were moved.
        device: Where to predict and train.
        trust: As in `zoo.load`.

    Raises:
        CheckpointError: The folder holds no run.
        DataError: The data are not there.
    """
    folder = RunFolder.of(run)
    if folder.recipe is None:
        raise CheckpointError(f"{run} holds no run of `molzoo train`: there is no recipe.json to follow")
    learner = loading.load(str(run), device=device, trust=trust)
    recipe = learner.recipe
    source = recipe.asked_data if data is None else dataclasses.replace(recipe.asked_data, source=data)
    dataset = load_again(source, folder, data)
    checks = [compare_versions(folder), compare_data(folder, dataset)]
    if checks[1].passed is False:
        return checks
    checks.append(compare_predictions(folder, learner, data))
    if not quick:
        if not isinstance(learner, Learner):
            raise TypeError(f"{run} holds a {type(learner).__name__}: verify its members, or give --quick")
        checks += train_again(folder, learner, dataset, device, trust)
    return checks


def compare_versions(folder: RunFolder) -> Check:
    """Compare the versions of the packages that compute with those of the run."""
    stored, here = folder.facts.get("versions") or {}, checkpoint.versions()
    if not stored:
        return Check("versions", None, "the run has noted none")
    names = [name for name in here if stored.get(name, here[name]) != here[name]]
    other = "; ".join(f"{name} {stored[name]} there, {here[name]} here" for name in names)
    return Check("versions", None if other else True, other or "the same")


def compare_data(folder: RunFolder, dataset) -> Check:
    """Compare the molecules and labels with the hashes that the run has saved."""
    saved = folder.split
    if saved is None:
        return Check("data", None, "the run has saved no hashes")
    changes = saved.content.changes(dataset)
    return Check("data", not changes, "; ".join(changes) or f"{len(dataset):,} molecules, the same")


def compare_predictions(folder: RunFolder, learner, data: str | None) -> Check:
    """Compare predictions of the test part with those that the run has written."""
    file = folder.path / "test_predictions.csv"
    if not file.exists():
        return Check("predictions", None, "the run has written none")
    try:
        part = choose_part(folder.path, learner.recipe, learner.fitted, part="test", data=data).dataset
    except DataError as error:
        return Check("predictions", None, str(error))
    table = pd.read_csv(file)
    names = [f"predicted_{name}" for name in learner.fitted.column_names]
    if len(table) != len(part) or not set(names) <= set(table):
        return Check("predictions", False, f"{file.name} has other rows or columns than the test part")
    found = learner.predict(part).reshape(len(part), -1)
    differences = np.abs(found - table[names].to_numpy(float))
    scale = np.maximum(1.0, np.abs(table[names].to_numpy(float)))
    worst = float(np.nanmax(differences / scale)) if differences.size else 0.0
    return Check("predictions", worst <= TOLERANCE, f"{len(part):,} of the test part, largest difference {worst:.1e}")


def train_again(folder: RunFolder, learner: Learner, dataset, device: str, trust: bool) -> list[Check]:
    """Train from the recipe and the saved parts, and compare epoch by epoch and weight by weight."""
    saved = folder.split
    split = None if saved is None else saved.cut(dataset, str(folder.path), "name the data of then with --data")
    with tempfile.TemporaryDirectory(prefix="molzoo-") as place:
        outcome = experiment.run(
            learner.recipe,
            dataset=dataset,
            split=split,
            folder=Path(place) / "run",
            progress=None,
            device=device,
            trust=trust,
        )
    return [compare_epochs(folder, outcome.history.to_frame()), compare_weights(learner, outcome.learner)]


def compare_epochs(folder: RunFolder, again: pd.DataFrame) -> Check:
    """Find the first epoch whose training loss is another one."""
    before = folder.read_history()
    if "loss" not in before or not len(before):
        return Check("training", None, "the run has no history")
    count = min(len(before), len(again))
    old, new = (frame["loss"].to_numpy(float)[:count] for frame in (before, again))
    differs = np.flatnonzero(old != new)
    if len(before) == len(again) and not len(differs):
        return Check("training", True, f"{count} epochs, the same losses to the last digit")
    if not len(differs):
        return Check("training", False, f"{len(again)} epochs here, {len(before)} there")
    first = int(differs[0])
    detail = f"leaves the run in epoch {first + 1}: loss {new[first]!r} here, {old[first]!r} there"
    return Check("training", False, detail)


def compare_weights(learner: Learner, again: Any) -> Check:
    """Compare the weights of the best epoch bit by bit."""
    old, new = learner.model.state_dict(), again.model.state_dict()
    other = [name for name in old if name not in new or not torch.equal(old[name], new[name])]
    if not other:
        return Check("weights", True, f"{len(old)} tensors, bit-identical")
    shared = [name for name in other if name in new and new[name].shape == old[name].shape]
    worst = max((float((old[name] - new[name]).abs().max()) for name in shared), default=float("inf"))
    return Check("weights", False, f"{len(other)} of {len(old)} tensors differ, by {worst:.1e} at most")
