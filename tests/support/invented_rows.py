"""Rows as runs would give them, without running anything."""

from __future__ import annotations

import numpy as np

from zoo.experiments import ResultRow
from zoo.experiments.sweep.planned import PlannedRun

REPORT = {
    "parts": {name: {"size": size} for name, size in (("train", 32), ("valid", 4), ("test", 4))},
    "scaffolds_across": 0,
    "duplicates_across": 0,
    "warnings": ["test part: few labels"],
}
EFFECT = {"adam": 0.0, "sam": 0.02, "graphsam": 0.015, "none": 0.0}
PASSES = {"adam": 20, "sam": 40, "graphsam": 22, "none": None}


def invented(run: PlannedRun) -> ResultRow:
    """A row as a run would give it: esol is an error, b3db an area under a curve."""
    noise = np.random.default_rng([run.seed, len(run.dataset)]).normal(0, 0.01)
    error = run.dataset == "esol"
    score = 0.8 + noise + (-1 if error else 1) * EFFECT[run.optimizer] * (1 + 0.1 * run.seed)
    metric = "rmse" if error else "roc_auc"
    history = [{"seconds": 1.0 + epoch, "valid": {metric: score}, "epoch": epoch} for epoch in range(2)]
    passes = PASSES[run.optimizer]
    return ResultRow(
        run.key, "finished", run.model, run.optimizer, run.dataset, run.seed, "scaffold",
        metric=metric, test=score, valid=score, best_epoch=1, epochs=2, parameters=10,
        steps=None if passes is None else 20, passes=passes, seconds=(passes or 2) / 10, wall_seconds=4.0,
        molecules_per_second=100.0, hessian_eigenvalue=None if passes is None else 3.0 + run.seed,
        metrics={metric: score}, history=history, split_report=REPORT, versions={"torch": "2"},
        machine={"processor": "P", "cores": 2, "memory_gib": 4, "system": "S", "threads": 1, "device": "cpu"},
    )  # fmt: skip
