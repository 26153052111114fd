"""Output of `molzoo train`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Story:
    """Callback that prints model, optimizer and parts, once the data are split."""

    def on_fit_start(self, run: Any) -> None:
        """Print model, optimizer and parts, and what would be faster."""
        from zoo.training.precision import advise_precision

        size = sum(p.numel() for p in run.model.parameters())
        if any(type(callback).__name__ == "Progress" for callback in run.callbacks):
            print(f"model      {run.recipe.model}, {size:,} parameters")
            print(f"optimizer  {run.recipe.optimizer} {dict(run.recipe.optimizer_args) or ''}")
            advice = advise_precision(run)
            if advice:
                print(f"precision  {advice}")
            print(run.history.split.report())


def load_data(recipe: Any, folder: Path, resume: bool, loud: bool) -> Any:
    """Load the data of a recipe, or those of the run that continues, and print what they are."""
    from zoo.commands.faults import with_flags
    from zoo.experiments import experiment
    from zoo.experiments.parts import load_again
    from zoo.runs.folder import RunFolder

    source = recipe.asked_data
    dataset = load_again(source, RunFolder(folder)) if resume else experiment.load_dataset(source)
    if loud:
        print(f"data       {dataset}")
        for note in dataset.notes:
            print(f"           {with_flags(note)}")
    return dataset


def summarize(outcome: Any) -> None:
    """Print the card's place and headline, test metrics, speed, and where to look."""
    if outcome.card:
        print(f"card       {outcome.folder / 'card.html'}: {outcome.card}")
    print_scores("test", outcome.test)
    seconds = outcome.history.seconds
    molecules = sum(epoch.molecules for epoch in outcome.history.epochs)
    print(f"training took {seconds:.1f} seconds, {molecules / max(seconds, 1e-9):,.0f} molecules per second")
    tested = "test.png, test_metrics.csv, test_predictions.csv, " if outcome.test else ""
    print(f"saved in {outcome.folder} ({tested}learning_curve.png, checkpoints)")
    print(f"open TensorBoard with: {tensorboard()} --logdir {outcome.folder.parent}")


def summarize_ensemble(outcome: Any, folds: int | None) -> None:
    """Print the metrics of each member, their mean and standard deviation, those of the ensemble, and where to look."""
    from zoo.tasks import format_value

    if any((outcome.folder / name / "card.html").exists() for name in outcome.members):
        print(f"cards      {outcome.folder / '*' / 'card.html'}: one for each member")
    width = max(map(len, outcome.members))
    for name, found in outcome.members.items():
        score = next((f"{metric} {format_value(value)}" for metric, value in (found.get("test") or {}).items()), "-")
        epoch = f", best epoch {found['best_epoch']}" if found.get("best_epoch") else ""
        print(f"{name:<{width}}  test {score}{epoch}, {found.get('seconds') or 0.0:.1f} s")
    what = f"{len(outcome.members)} {'folds' if folds else 'seeds'}"
    for name, values in outcome.scores.items():
        mean, spread = format_value(outcome.mean[name]), format_value(outcome.sd[name])
        print(f"test {name} {mean} ± {spread} ({what}: {', '.join(map(format_value, values))})")
    for title, scores in (("ensemble, test", outcome.test), ("out of fold, all together:", outcome.pooled)):
        print_scores(title, scores)
    kept = "out_of_fold.csv" if folds else "test_predictions.csv" if outcome.test else ""
    print(f"saved in {outcome.folder} (ensemble.json{', ' * bool(kept)}{kept}, a folder for each member)")
    print(f"predict with: molzoo predict {outcome.folder} FILE")
    print(f"open TensorBoard with: {tensorboard()} --logdir {outcome.folder}")


def print_scores(title: str, scores: Any) -> None:
    """Print metrics line by line, with their intervals and details."""
    from zoo.tasks import Evaluation, format_value

    for name, value in scores.items():
        print(f"{title} {scores.describe(name) if isinstance(scores, Evaluation) else f'{name} {format_value(value)}'}")
    if isinstance(scores, Evaluation):
        print_details(scores)


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


def print_json(*outcomes: Any, members: Mapping[str, Any] | None = None) -> None:
    """Print one JSON object a run: its folder and what `metrics.json` holds; those of members first."""
    from zoo.runs.json_files import plain

    found = [{"run": place, **values} for place, values in (members or {}).items()]
    for values in [*found, *({"run": str(outcome.folder), **outcome.to_dict()} for outcome in outcomes)]:
        print(json.dumps(plain(values), allow_nan=False))
