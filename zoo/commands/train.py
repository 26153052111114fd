"""`molzoo train`."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from zoo.commands.parser import CommandParser, named
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.presets import find, list_recipes
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.runs.names import safe_name

DESCRIPTION = """Train a model, choose its best epoch on the validation part, and measure it on the test part.

examples:
  molzoo train                                       the quick start: three epochs on the embedded B3DB
  molzoo train --data bbbp --data-dir moleculenet --seeds 0 1 2
  molzoo train --data my.csv --smiles-column structure --tasks logS --task regression
  molzoo train --model grover --model-args.hidden_size 64 --optimizer adamw --optimizer-args.lr 0.0005
  molzoo train --recipe compt-graphsam --data bbbp --data-dir moleculenet
  molzoo train --recipe runs/b3db-grover-graphsam-seed0/recipe.json --epochs 30
  molzoo train --resume runs/b3db-grover-graphsam-seed0 --epochs 30
  torchrun --nproc-per-node 2 -m zoo train --data tox21"""

# Three epochs on B3DB take two to three minutes on two cores.
QUICK_START = ("--epochs", "3")


def make_parser() -> CommandParser:
    """All options, with the defaults of the quick start."""
    parser = CommandParser(prog="molzoo train", description=DESCRIPTION)
    parser.add_argument("--model", default="grover", help="name from `molzoo list models`")
    parser.add_argument("--optimizer", default="graphsam", help="name from `molzoo list optimizers`")
    parser.add_argument("--featurizer", type=str | None, default=None, help="name; null takes the model's own")
    for part in ("model", "optimizer", "featurizer"):
        parser.add_argument(
            f"--{part}_args",
            type=dict[str, Any],
            default={},
            help=f"options of the {part} (`molzoo describe`), one by one as --{part}-args.NAME VALUE or all as JSON",
        )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run for each")
    parser.add_argument("--data", default="b3db", help="embedded or MoleculeNet name, or a file")
    parser.add_argument("--tasks", nargs="+", default=None, help="label columns; default: the set's own, or all others")
    parser.add_class_arguments(DataOptions, None, skip={"source", "tasks"})
    parser.add_class_arguments(TrainingOptions, None)
    parser.add_argument(
        "--output", type=str | None, default=None, help="folder of the run (of the runs, with several seeds)"
    )
    parser.add_argument(
        "--recipe",
        type=str | None,
        default=None,
        help=f"one of {', '.join(list_recipes())}, or a file; other options override it",
    )
    parser.add_argument(
        "--resume",
        type=str | None,
        default=None,
        help="folder of a run to continue with its own options; a larger --epochs trains it longer",
    )
    parser.add_argument(
        "--projector", type=int | None, default=None, help="test molecules in TensorBoard's embedding projector"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, ...")
    parser.add_trust()
    parser.add_argument("--quiet", action="store_true", help="print the result only")
    return parser


def main(arguments: list[str]) -> None:
    """Train one run for each seed, or continue one; without arguments, the quick start."""
    quick = not arguments
    arguments = arguments or list(QUICK_START)
    parser = make_parser()
    options = parser.parse_command(arguments)

    from zoo.training import distributed

    if options.recipe:
        parser.set_defaults(flatten(find(options.recipe)))
        options = parser.parse_command(arguments)
    distributed.initialize()
    progress = None if distributed.is_main() and not options.quiet else False
    if quick:
        print("quick start: 3 epochs, for a first look; `molzoo train --data b3db` chooses their number by the data")
    if options.resume:
        options, recipe = resumed(parser, arguments, options)
        outcomes = [train(recipe, Path(options.resume), options, progress, resume=True)]
    else:
        from zoo.data.splits import refuse_seeds

        recipes, outcomes = [recipe_of(options, seed) for seed in options.seeds], []
        refuse_seeds(recipes[0].data or DataOptions(), options.seeds)
        for recipe in recipes:
            folder = distributed.broadcast(free_folder(recipe, options.output, several=len(options.seeds) > 1))
            outcomes.append(train(recipe, folder, options, progress))
    if distributed.is_main():
        summarize(outcomes)
    distributed.finish()
    refuse_diverged(outcomes)


def refuse_diverged(outcomes: list[Any]) -> None:
    """Leave with status 1 if a training has diverged."""
    for outcome in outcomes:
        if outcome.history.diverged:
            print(f"molzoo: error: training diverged: {outcome.history.diverged}", file=sys.stderr)
            raise SystemExit(1)


def recipe_of(options: Any, seed: int) -> Recipe:
    """The recipe that the options describe."""
    from zoo.learners.factory import recipe_for

    def fill(cls: type, **renamed: Any):
        names = {f.name for f in dataclasses.fields(cls)} - set(renamed)
        return cls(**{name: options[name] for name in names}, **renamed)

    parts = ("model", "optimizer", "featurizer", "model_args", "optimizer_args", "featurizer_args")
    recipe = recipe_for(**{part: options[part] for part in parts}, seed=seed)
    tasks = None if options.tasks is None else tuple(options.tasks)
    return dataclasses.replace(
        recipe, data=fill(DataOptions, source=options.data, tasks=tasks), training=fill(TrainingOptions)
    )


def flatten(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the options of this command."""
    values = {name: getattr(recipe, name) for name in ("model", "optimizer", "featurizer")}
    values |= {name: dict(getattr(recipe, name)) for name in ("model_args", "optimizer_args", "featurizer_args")}
    values["seeds"] = [recipe.seed]
    data = dataclasses.asdict(recipe.data or DataOptions())
    values["data"] = data.pop("source")
    tasks = data.pop("tasks")
    if data["split"] == "scaffold":  # the default, which a split column on the command line overrides
        data["split"] = None
    values["tasks"] = None if tasks is None else list(tasks)
    return values | data | dataclasses.asdict(recipe.training or TrainingOptions())


def resumed(parser: CommandParser, arguments: list[str], options: Any) -> tuple[Any, Recipe]:
    """The options and the recipe with which a run goes on: its own, but for what may change."""
    from zoo.experiments.resuming import continued, describe_continuation, stored_recipe

    other = sorted({"recipe", "output"} & named(arguments))
    if other:
        raise ValueError(f"--resume takes the run's own recipe and folder: leave --{' and --'.join(other)} out")
    stored = stored_recipe(options.resume)
    cache = stored.training.cache_dir if stored.training else None
    parser.set_defaults(flatten(stored) | {"cache_dir": None})  # a folder that the run names is not written unasked
    options = parser.parse_command(arguments)
    if options.seeds != [stored.seed]:
        raise ValueError(f"--resume {options.resume}: the run has seed {stored.seed}: leave --seeds out")
    recipe = continued(options.resume, recipe_of(options, stored.seed))
    if cache is not None and options.cache_dir is None and not options.quiet:
        print(f"cache      not used: name it again with --cache-dir {cache}")
    line = describe_continuation(options.resume, recipe)
    if line and not options.quiet:
        print(f"continued  {line}")
    return options, recipe


def free_folder(recipe: Recipe, output: str | None, several: bool) -> Path:
    """The folder that the user named, or the next free one below `runs`."""
    if output is not None:
        return Path(output) / f"seed{recipe.seed}" if several else Path(output)
    source = Path(recipe.data.source).stem.split(".")[0] if recipe.data else "data"
    trainer = "" if recipe.optimizer == NO_OPTIMIZER else f"-{recipe.optimizer}"
    stem = Path("runs") / safe_name(f"{source}-{recipe.model}{trainer}-seed{recipe.seed}")
    folder, number = stem, 2
    while folder.exists():
        folder, number = stem.with_name(f"{stem.name}-{number}"), number + 1
    return folder


def train(recipe: Recipe, folder: Path, options: Any, progress: bool | None, resume: bool = False):
    """One run with its printed story."""
    from zoo.experiments import experiment
    from zoo.experiments.parts import load_again
    from zoo.runs.folder import RunFolder
    from zoo.tasks import format_value

    source = recipe.data or DataOptions()
    dataset = load_again(source, RunFolder(folder)) if resume else experiment.load_dataset(source)
    if progress is not False:
        print(f"data       {dataset}")
        for note in dataset.notes:
            print(f"           {note}")
        print(f"run        {folder}")
    try:
        outcome = experiment.run(
            recipe,
            dataset=dataset,
            folder=folder,
            resume=resume,
            progress=progress,
            device=options.device,
            callbacks=[Story()],
            projector=options.projector,
            trust=options.trust,
        )
    except experiment.TrainingDiverged as error:
        outcome = error.outcome
    history = outcome.history
    if progress is not False and history.best_epoch is not None:
        best = "" if history.best is None else f", valid {history.metric} {format_value(history.best)}"
        print(f"best epoch {history.best_epoch}{best}")
    return outcome


class Story:
    """Prints what is about to be trained, once the data are split."""

    def on_fit_start(self, run: Any) -> None:
        """Model, optimizer and parts."""
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
        print(line)
    for outcome in outcomes:
        if isinstance(outcome.test, Evaluation):
            print_details(outcome.test)
    seconds = sum(outcome.history.seconds for outcome in outcomes)
    molecules = sum(epoch.molecules for outcome in outcomes for epoch in outcome.history.epochs)
    print(f"training took {seconds:.1f} seconds, {molecules / max(seconds, 1e-9):,.0f} molecules per second")
    folder = outcomes[-1].folder
    print(f"saved in {folder} (test.png, learning_curve.png, test_predictions.csv, checkpoints)")
    print(f"open TensorBoard with: {tensorboard()} --logdir {folder.parent}")


def print_details(found: Any) -> None:
    """Print the metrics of each task where there are several, and how many labels have no prediction."""
    if len(found.task_names) > 1:
        print(found.table())
    if found.unpredicted:
        print(found.describe_unpredicted())


def tensorboard() -> str:
    """How to call TensorBoard from here."""
    if shutil.which("tensorboard"):
        return "tensorboard"
    program = Path(sys.executable).parent / "tensorboard"
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else str(program)
