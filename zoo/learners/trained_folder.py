"""Description of the folder of a checkpoint, a run or an ensemble."""

from __future__ import annotations

from pathlib import Path

from zoo.recipe.recipe import NO_OPTIMIZER
from zoo.runs.checkpoint import Checkpoint, wrote
from zoo.runs.ensemble_folder import SavedModels, read_all
from zoo.runs.folder import RunFolder

LONGEST = 5  # tasks that are named


def describe_folder(path: str | Path) -> tuple[str, str, str, dict[str, str]]:
    """Describe what was trained.

    Returns:
        "learner" or "ensemble", the path, one line, and what is known by name.

    Raises:
        CheckpointError: The folder holds nothing of the kind, or something damaged.
    """
    saved = read_all(path)
    first = saved.checkpoints[0]
    rows = members(saved) if len(saved.checkpoints) > 1 else {"model": model(first)}
    names = list(first.fitted.output_names)
    rows |= {
        "featurizer": ", ".join(dict.fromkeys(each.recipe.featurizer for each in saved.checkpoints)),
        "tasks": ", ".join(names[:LONGEST]) + f", ... ({len(names)})" * (len(names) > LONGEST),
        "written by": f"molzoo {wrote(first.path)}",
    }
    if first.recipe.data is not None:
        rows["data"] = f"{first.recipe.data.source}, split {first.recipe.data.split}"
    test = RunFolder.of(path).metrics.get("test") or {}
    if test:
        rows["test"] = ", ".join(f"{name} {value:.4g}" for name, value in test.items() if value is not None)
    kind = "ensemble" if len(saved.checkpoints) > 1 else "learner"
    what = f"{len(saved.checkpoints)} members predict" if kind == "ensemble" else "predicts"
    task = f"{first.fitted.num_tasks} {first.fitted.task} task{'s' * (first.fitted.num_tasks > 1)}"
    use = f"molzoo predict {path} FILE, molzoo evaluate {path}"
    return kind, str(path), f"{what} {task}", {**rows, "use": use}


def members(saved: SavedModels) -> dict[str, str]:
    """A row for each member of an ensemble."""
    total = sum(saved.weights)
    return {
        f"member {number}": f"{model(each)}, seed {each.recipe.seed}, weight {weight / total:.3g}"
        for number, (each, weight) in enumerate(zip(saved.checkpoints, saved.weights, strict=True))
    }


def model(saved: Checkpoint) -> str:
    """Return model and optimizer of a checkpoint."""
    trainer = "" if saved.recipe.optimizer == NO_OPTIMIZER else f" trained with {saved.recipe.optimizer}"
    return f"{saved.recipe.model}{trainer}"
