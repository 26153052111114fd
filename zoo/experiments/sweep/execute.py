"""One planned run in its folder: training, test, and the sharpness of the minimum."""

from __future__ import annotations

import dataclasses
import math
from contextlib import suppress
from functools import lru_cache
from typing import Any

from zoo.data import MoleculeDataset
from zoo.experiments import experiment
from zoo.experiments.outcome import Outcome
from zoo.experiments.sweep.planned import PlannedRun
from zoo.learners.learner import Learner
from zoo.recipe.options import DataOptions
from zoo.runs.folder import RunFolder
from zoo.runs.machine import describe_machine, describe_versions
from zoo.runs.state import RUNNING, one_line
from zoo.sharpness import measure


@lru_cache(maxsize=4)
def load_dataset(options: DataOptions, max_molecules: int | None) -> MoleculeDataset:
    """Load a data set, or that many molecules drawn from it; kept, because neighbouring runs use the same one."""
    return experiment.draw(experiment.load_dataset(options), max_molecules)


def execute(
    planned: PlannedRun,
    folder: RunFolder,
    *,
    data_dir: str | None = None,
    device: str = "auto",
    trust: bool = False,
) -> None:
    """Do a planned run, or the rest of one that was interrupted; how it ends is in its folder.

    Args:
        planned: What to run.
        folder: Where; it is claimed until the run has ended.
        data_dir: Folder of MoleculeNet's files on this machine; it is not a part of the results.
        device: As in `zoo.build`.
        trust: As in `zoo.load`.
    """
    source = planned.recipe.data or DataOptions()
    folder.claim(wait=True)
    with suppress(Exception), folder.running():  # a failure is a result too: the folder keeps its reason
        begin(planned, folder)
        dataset = load_dataset(dataclasses.replace(source, data_dir=data_dir or source.data_dir), planned.max_molecules)
        outcome = experiment.run(
            planned.recipe, dataset=dataset, folder=folder, resume=True, progress=False, device=device, trust=trust
        )
        if not math.isfinite(outcome.test[outcome.metric]):
            raise ArithmeticError(f"test {outcome.metric} is not a number")
        folder.write_metrics({"sharpness": measure_sharpness(planned, outcome)})


def begin(planned: PlannedRun, folder: RunFolder) -> None:
    """Write the names of the run to its folder."""
    folder.note(planned={**planned.to_plan(), "split": (planned.recipe.data or DataOptions()).split})
    folder.note(versions=describe_versions(), machine=describe_machine(None))
    folder.set_state(RUNNING)


def measure_sharpness(planned: PlannedRun, outcome: Outcome) -> dict[str, Any]:
    """Largest eigenvalue of the Hessian and loss rise at the weights of the best epoch, on some training molecules.

    A measurement that fails must not cost the run its result: the reason takes its place.
    """
    split = outcome.history.split
    if planned.eigenvalue_molecules is None or not isinstance(outcome.learner, Learner) or split is None:
        return {}
    try:
        return measure(outcome.learner, split.train, max_molecules=planned.eigenvalue_molecules, directions=0).to_dict()
    except (ValueError, RuntimeError) as error:
        return {"reason": one_line(error)}
