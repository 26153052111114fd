"""`molzoo train`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from zoo.commands.data_fields import add_data_fields
from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.overriding import override
from zoo.recipe.presets import find, list_recipes
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.recipe.start import StartOptions
from zoo.registry.catalog import METRICS
from zoo.registry.plugins import load_plugins
from zoo.runs.names import safe_name

DESCRIPTION = """Train a model, choose its best epoch on the validation part, and measure it on the test part.

examples:
  molzoo train                    the quick start: three epochs on the embedded B3DB
  molzoo train --data bbbp --data-dir moleculenet --seeds 0 1 2
  molzoo train --data my.csv --smiles-column structure --tasks logS --task regression
  molzoo train --model gcn --model-args.hidden_size 64 --optimizer adamw --optimizer-args.lr 1e-4
  molzoo train --recipe compt-graphsam --data bbbp --data-dir moleculenet
  molzoo train --recipe runs/b3db-grover-graphsam-seed0/recipe.json --epochs 30
  molzoo train --init grover-base --data my.csv --freeze encoder --unfreeze-after 3 --lr-encoder 0.1x
  molzoo train --resume runs/b3db-grover-graphsam-seed0 --epochs 30
  torchrun --nproc-per-node 2 -m zoo train --data tox21"""

# Three epochs on B3DB take two to three minutes on two cores.
QUICK_START = ("--epochs", "3")
START = Recipe("grover", optimizer="graphsam")
MODEL, TRAINING, OUTPUT = "model and optimizer", "training", "output"
START_FROM = "start from trained weights"


def make_parser() -> CommandParser:
    """Make the parser; options of the dataclasses have their defaults."""
    load_plugins()
    parser = CommandParser(prog="molzoo train", description=DESCRIPTION)
    parser.add_option(
        "--recipe",
        type=str | None,
        metavar="NAME|FILE",
        group=MODEL,
        help="all that follows, from a file or by name: "
        f"{', '.join(list_recipes())}; options that are given override it",
    )
    for part in ("model", "optimizer", "featurizer"):
        own = "; the model's own unless it is named" if part == "featurizer" else ""
        parser.add_option(
            f"--{part}", type=str | None, default=None if own else getattr(START, part), metavar="NAME", group=MODEL,
            help=f"name from `molzoo list {part}s`{own}",
        )  # fmt: skip
    parser.add_fields(
        Recipe,
        None,
        MODEL,
        skip={
            "model",
            "optimizer",
            "featurizer",
            "num_tasks",
            "task",
            "feature_names",
            "seed",
            "data",
            "training",
            "start",
        },
        advanced={"task_args", "featurizer_args"},
    )
    parser.add_option(
        "--loss", type=str | None, metavar="NAME", group=MODEL,
        help="mse, mae or huber for numbers, cross_entropy or focal for classes; in recipes, task_args.loss",
    )  # fmt: skip
    parser.add_option("--seeds", type=int, nargs="+", group=MODEL, help="one run for each; 0, or the recipe's")
    add_data_fields(parser, "embedded or MoleculeNet name, or a file; b3db, or the recipe's, unless it is named")
    parser.add_fields(
        TrainingOptions,
        "training",
        TRAINING,
        advanced={"rate_span", "skip_first_sync", "log_every", "checkpoint_every", "sharpness_every", "accumulate",
                  "cache_dir", "average_decay", "average_start", "ascent_every"},
        names={"monitor": ["loss", *METRICS.names()]},
    )  # fmt: skip
    parser.add_option("--start.freeze", nargs="+", metavar="PART", group=START_FROM,
                      help="parts of the model that do not change, such as encoder")  # fmt: skip
    parser.short["freeze"] = "start.freeze"
    parser.add_fields(StartOptions, "start", START_FROM, skip={"freeze"})
    add_output(parser)
    parser.short |= {"config": "recipe", "seed": "seeds"}
    return parser


def add_output(parser: CommandParser) -> None:
    """Add where the run goes and what is printed."""
    parser.add_option(
        "--output", type=str | None, metavar="FOLDER", group=OUTPUT,
        help="folder of the run (of the runs, with several seeds); a new one below runs unless it is named",
    )  # fmt: skip
    parser.add_option(
        "--resume", type=str | None, metavar="FOLDER", group=OUTPUT,
        help="run to continue with its own options; a larger --epochs trains it longer",
    )  # fmt: skip
    parser.add_option("--json", action="store_true", group=OUTPUT, help="print the results as JSON, and nothing else")
    parser.add_option("--quiet", action="store_true", group=OUTPUT, help="print the results only")
    parser.add_option(
        "--projector", type=int | None, group=OUTPUT, advanced=True,
        help="number of test molecules in TensorBoard's embedding projector",
    )  # fmt: skip
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()


def main(arguments: list[str]) -> None:
    """Train one run for each seed, or continue one; without arguments, the quick start."""
    quick = not arguments
    arguments = arguments or list(QUICK_START)
    parser = make_parser()
    options = parser.parse_command(arguments)

    from zoo.commands.train_story import print_json, summarize
    from zoo.training import distributed

    options.device = distributed.initialize(options.device)
    loud = distributed.is_main() and not options.quiet and not options.json
    if quick:
        print("quick start: 3 epochs, for a first look; `molzoo train --data b3db` chooses their number by the data")
    if options.resume:
        recipe = recipe_to_resume(parser, arguments, options.resume, loud)
        outcomes = [train(recipe, Path(options.resume), options, loud, resume=True)]
    else:
        outcomes = train_seeds(parser, arguments, options, loud)
    if distributed.is_main():
        (print_json if options.json else summarize)(outcomes)
    distributed.finish()
    refuse_diverged(outcomes)


def train_seeds(parser: CommandParser, arguments: list[str], options: Any, loud: bool) -> list[Any]:
    """Train a recipe with the options that were given, once for each seed."""
    from zoo.data.splits import refuse_seeds
    from zoo.learners.transfer import with_parts_of
    from zoo.training import distributed

    start = find(options.recipe) if options.recipe else START
    init = parser.parse_given(arguments).get("start", {}).get("init")
    start = start if init is None else with_parts_of(start, init)
    recipe, outcomes = recipe_from_options(parser, arguments, start), []
    seeds = options.seeds or [recipe.seed]
    refuse_seeds(recipe.data or DataOptions(), seeds)
    for seed in seeds:
        recipe = override(recipe, {"seed": seed})
        folder = distributed.broadcast(free_folder(recipe, options.output, several=len(seeds) > 1))
        outcomes.append(train(recipe, folder, options, loud))
    return outcomes


def recipe_from_options(parser: CommandParser, arguments: list[str], start: Recipe) -> Recipe:
    """Return a recipe with the options that were given in place of its own."""
    given = parser.parse_given(arguments, start.to_dict())
    if "loss" in given:
        given["task_args"] = {**start.task_args, **given.get("task_args", {}), "loss": given["loss"]}
    fields = {"model", "optimizer", "featurizer", "model_args", "optimizer_args", "featurizer_args", "task_args"}
    return override(start, {name: given[name] for name in given if name in fields | {"data", "training", "start"}})


def recipe_to_resume(parser: CommandParser, arguments: list[str], folder: str, loud: bool) -> Recipe:
    """Return the recipe with which a run continues: its own, except for options that may change."""
    from zoo.experiments.resuming import continue_recipe, describe_continuation, stored_recipe

    given = parser.parse_given(arguments)
    other = sorted({"recipe", "output"} & given.keys())
    if other:
        raise ValueError(f"--resume takes the run's own recipe and folder: leave --{' and --'.join(other)} out")
    stored = stored_recipe(folder)
    if given.get("seeds", [stored.seed]) != [stored.seed]:
        raise ValueError(f"--resume {folder}: the run has seed {stored.seed}: leave --seeds out")
    recipe = continue_recipe(folder, recipe_from_options(parser, arguments, without_cache(stored)))
    cache = stored.training.cache_dir if stored.training else None
    if cache is not None and loud and not (recipe.training and recipe.training.cache_dir):
        print(f"cache      not used: name it again with --cache-dir {cache}")
    line = describe_continuation(folder, recipe)
    if line and loud:
        print(f"continued  {line}")
    return recipe


def without_cache(recipe: Recipe) -> Recipe:
    """Return a recipe that names no cache folder: one that only a file names is not written unasked."""
    if recipe.training is None:
        return recipe
    return dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, cache_dir=None))


def refuse_diverged(outcomes: list[Any]) -> None:
    """Leave with status 1 if a training has diverged."""
    for outcome in outcomes:
        if outcome.history.diverged:
            print(f"molzoo: error: training diverged: {outcome.history.diverged}", file=sys.stderr)
            raise SystemExit(1)


def free_folder(recipe: Recipe, output: str | None, several: bool) -> Path:
    """Return the folder that the user named, or the next free one below `runs`."""
    if output is not None:
        return Path(output) / f"seed{recipe.seed}" if several else Path(output)
    source = Path((recipe.data or DataOptions()).source).stem.split(".")[0]
    trainer = "" if recipe.optimizer == NO_OPTIMIZER else f"-{recipe.optimizer}"
    stem = Path("runs") / safe_name(f"{source}-{recipe.model}{trainer}-seed{recipe.seed}")
    folder, number = stem, 2
    while folder.exists():
        folder, number = stem.with_name(f"{stem.name}-{number}"), number + 1
    return folder


def train(recipe: Recipe, folder: Path, options: Any, loud: bool, resume: bool = False):
    """Train one run and print its story."""
    from zoo.commands.train_story import Story
    from zoo.experiments import experiment
    from zoo.experiments.parts import load_again
    from zoo.runs.folder import RunFolder
    from zoo.tasks import format_value

    source = recipe.asked_data
    dataset = load_again(source, RunFolder(folder)) if resume else experiment.load_dataset(source)
    if loud:
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
            progress=None if loud else False,
            device=options.device,
            callbacks=[Story()],
            projector=options.projector,
            trust=options.trust,
        )
    except experiment.TrainingDiverged as error:
        outcome = error.outcome
    history = outcome.history
    if loud and history.best_epoch is not None:
        best = "" if history.best is None else f", valid {history.metric} {format_value(history.best)}"
        print(f"best epoch {history.best_epoch}{best}")
    return outcome
