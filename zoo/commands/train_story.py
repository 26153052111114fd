"""Output of `molzoo train`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np


class Story:
    """Callback that prints model, optimizer and parts, once the data are split."""

    def on_fit_start(self, run: Any) -> None:
        """Print model, optimizer and parts."""
        size = sum(p.numel() for p in run.model.parameters())
        if any(type(callback).__name__ == "Progress" for callback in run.callbacks):
            print(f"model      {run.recipe.model}, {size:,} parameters")
            print(f"optimizer  {run.recipe.optimizer} {dict(run.recipe.optimizer_args) or ''}")
            print(run.history.split.report())


def summarize(outcomes: list[Any]) -> None:
    """Print test metrics (over the seeds, mean and standard deviation), speed, and where to look."""
    from zoo.tasks import Evaluation, format_value

    for name in outcomes[0].test:
        values = [outcome.test[name] for outcome in outcomes]
        line = f"test {name} {format_value(values[0])}"
        if len(values) > 1:
            each = ", ".join(map(format_value, values))
            mean, spread = format_value(np.mean(values)), format_value(np.std(values, ddof=1))
            line = f"test {name} {mean} ± {spread} ({len(values)} seeds: {each})"
        elif isinstance(outcomes[0].test, Evaluation):
            line = f"test {outcomes[0].test.describe(name)}"
        print(line)
    for outcome in outcomes:
        if isinstance(outcome.test, Evaluation):
            print_details(outcome.test)
    seconds = sum(outcome.history.seconds for outcome in outcomes)
    molecules = sum(epoch.molecules for outcome in outcomes for epoch in outcome.history.epochs)
    print(f"training took {seconds:.1f} seconds, {molecules / max(seconds, 1e-9):,.0f} molecules per second")
    folder = outcomes[-1].folder
    print(f"saved in {folder} (test.png, learning_curve.png, test_metrics.csv, test_predictions.csv, checkpoints)")
    print(f"open TensorBoard with: {tensorboard()} --logdir {folder.parent}")


def print_details(found: Any) -> None:
    """Print thresholds, the metrics of each task where there are several, and how many labels have no prediction."""
    if found.thresholds:
        cuts = [
            f"{name} {cut:.3g}" if len(found.thresholds) > 1 else f"{cut:.3g}" for name, cut in found.thresholds.items()
        ]
        print(f"class 1 from a probability of {', '.join(cuts)}")
    if len(found.task_names) > 1:
        print(found.table(intervals=True))
    if found.unpredicted:
        print(found.describe_unpredicted())


def tensorboard() -> str:
    """Return the command that opens TensorBoard."""
    if shutil.which("tensorboard"):
        return "tensorboard"
    program = Path(sys.executable).parent / "tensorboard"
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else str(program)


def print_json(outcomes: list[Any]) -> None:
    """Print one JSON object a run: its folder and what `metrics.json` holds."""
    from zoo.runs.json_files import plain

    for outcome in outcomes:
        print(json.dumps(plain({"run": str(outcome.folder), **outcome.to_dict()}), allow_nan=False))
