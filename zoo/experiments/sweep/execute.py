"""One planned run: from the specification to a row of results."""

from __future__ import annotations

import dataclasses
import time
from functools import lru_cache
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.experiments import experiment
from zoo.experiments.sweep.planned import PLACES, PlannedRun
from zoo.experiments.sweep.results import FAILED, FINISHED, ResultRow
from zoo.learners.learner import Learner
from zoo.recipe.options import DataOptions
from zoo.runs.machine import describe_machine, describe_versions
from zoo.sharpness import measure
from zoo.training.callbacks import Callback
from zoo.training.loop import TrainingRun

DRAW_SEED = 0


class StepCounter(Callback):
    """Remembers how many optimizer steps a run took."""

    steps: int | None = None

    def on_fit_end(self, run: TrainingRun) -> None:
        """Read the count."""
        self.steps = run.step


@lru_cache(maxsize=4)
def load_dataset(options: DataOptions, max_molecules: int | None) -> MoleculeDataset:
    """A data set, or as many molecules drawn from it; kept, because neighbouring runs use the same one."""
    dataset = experiment.load_dataset(options)
    if max_molecules is None or max_molecules >= len(dataset):
        return dataset
    if max_molecules < 1:
        raise ValueError(f"max_molecules={max_molecules}: give a whole number of at least 1")
    drawn = np.sort(np.random.default_rng(DRAW_SEED).permutation(len(dataset))[:max_molecules])
    return dataclasses.replace(dataset.subset(drawn), name=f"{dataset.name}, {max_molecules} molecules")


def execute(
    planned: PlannedRun, *, data_dir: str | None = None, device: str = "auto", trust: bool = False
) -> ResultRow:
    """Do a planned run.

    Args:
        planned: What to run.
        data_dir: Folder of MoleculeNet's files on this machine; it is no part of the results.
        device: As in `zoo.build`.
        trust: As in `zoo.load`.

    Returns:
        The row, finished or failed; a failure of the run is not an error here.
    """
    source = planned.recipe.data or DataOptions()
    empty = empty_row(planned)
    start = time.perf_counter()
    try:
        found = train_and_test(
            planned, dataclasses.replace(source, data_dir=data_dir or source.data_dir), device, trust
        )
    except Exception as error:
        return dataclasses.replace(empty, reason=one_line(error), wall_seconds=time.perf_counter() - start)
    return dataclasses.replace(empty, **found, wall_seconds=time.perf_counter() - start)


def empty_row(planned: PlannedRun) -> ResultRow:
    """The row of a run that gave nothing."""
    return ResultRow(
        run=planned.key,
        state=FAILED,
        model=planned.model,
        optimizer=planned.optimizer,
        dataset=planned.dataset,
        seed=planned.seed,
        split=(planned.recipe.data or DataOptions()).split,
        recipe=without_places(planned.recipe.to_dict()),
        versions=describe_versions(),
        machine=describe_machine(None),
    )


def train_and_test(planned: PlannedRun, source: DataOptions, device: str, trust: bool = False) -> dict[str, Any]:
    """Train and test; the fields of a row that follow from it."""
    dataset = load_dataset(source, planned.max_molecules)
    counter = StepCounter()
    outcome = experiment.run(
        planned.recipe, dataset=dataset, progress=False, callbacks=[counter], device=device, trust=trust
    )
    history, split = outcome.history, outcome.history.split
    score = outcome.test[outcome.metric]
    assert split is not None
    learner = outcome.learner if isinstance(outcome.learner, Learner) else None
    sharpness = {}
    if learner is not None and planned.eigenvalue_molecules is not None:
        sharpness = measure_sharpness(learner, split.train, planned.eigenvalue_molecules)
    return {
        "state": FINISHED if np.isfinite(score) else FAILED,
        "reason": None if np.isfinite(score) else f"test {outcome.metric} is not a number",
        "metric": outcome.metric,
        "test": float(score),
        "valid": history.best,
        "best_epoch": history.best_epoch,
        "epochs": len(history.epochs),
        "parameters": outcome.learner.num_parameters,
        "steps": counter.steps,
        "passes": None if learner is None else history.passes,
        "seconds": history.seconds,
        "molecules_per_second": history.molecules_per_second,
        "hessian_eigenvalue": next(iter(sharpness.get("eigenvalues", ())), None),
        "sharpness": sharpness,
        "recipe": without_places(outcome.learner.recipe.to_dict()),
        "metrics": outcome.test,
        "history": [dataclasses.asdict(record) for record in history.epochs],
        "split_report": split.report().to_dict(),
        "machine": describe_machine(None if learner is None else learner.device),
    }


def measure_sharpness(learner: Learner, train: MoleculeDataset, max_molecules: int) -> dict[str, Any]:
    """Largest eigenvalue of the Hessian and loss rise at the weights of the best epoch, on some training molecules.

    A measurement that fails must not cost the run its result: the reason takes its place.
    """
    try:
        return measure(learner, train, max_molecules=max_molecules, directions=0).to_dict()
    except (ValueError, RuntimeError) as error:
        return {"reason": one_line(error)}


def without_places(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe without folders of this machine and without what cannot change the numbers."""
    nested = {part: {k: v for k, v in (recipe[part] or {}).items() if k not in PLACES} for part in ("data", "training")}
    return {**recipe, **nested}


def one_line(error: Exception) -> str:
    """Kind and message of an error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")[:500]
