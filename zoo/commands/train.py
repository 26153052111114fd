"""`molzoo train`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from zoo.commands.data_fields import SPLIT, add_data_fields
from zoo.commands.parser import CommandParser
from zoo.commands.train_recipes import free_folder, recipe_from_options, recipe_to_resume, start_recipe
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.overriding import override
from zoo.recipe.presets import list_recipes
from zoo.recipe.recipe import Recipe
from zoo.recipe.start import StartOptions
from zoo.registry.plugins import load_plugins

DESCRIPTION = """Train a model, choose its best epoch on the validation part, and measure it on the test part.

examples:
  molzoo train                    the quick start: three epochs on the embedded B3DB
  molzoo train --data bbbp --data-dir moleculenet --seeds 0 1 2 3 4 --workers 5
  molzoo train --data my.csv --split kfold --folds 5
  molzoo train --data my.csv --smiles-column structure --tasks logS --task regression
  molzoo train --model gcn --model-args.hidden_size 64 --optimizer adamw --optimizer-args.lr 1e-4
  molzoo train --init grover-base --data my.csv --freeze encoder --unfreeze-after 3
  molzoo train --resume runs/b3db-grover-graphsam-seed0 --epochs 30
  torchrun --nproc-per-node 2 -m zoo train --data tox21"""

# Three epochs on B3DB take two to three minutes on two cores.
QUICK_START = ("--epochs", "3")
START = Recipe("grover", optimizer="graphsam")
MODEL, TRAINING, OUTPUT = "model and optimizer", "training", "output"
START_FROM = "start from trained weights"
PARTS = ("model", "optimizer", "featurizer")
ELSEWHERE = ("num_tasks", "task", "feature_names", "smiles_columns", "seed", "data", "training", "start")
"""Fields of recipes that have options of their own, or are found in the data."""
RARE = (
    *("rate_span", "skip_first_sync", "log_every", "checkpoint_every", "sharpness_every", "accumulate", "cache_dir"),
    *(
        "threshold_metric",
        "average",
        "average_decay",
        "average_start",
        "ascent_every",
        "max_grad_norm",
        "warmup_epochs",
    ),
    *("task_weights", "class_weight", "target_transform"),
)
"""Options of training that `--help-all` shows."""


def make_parser() -> CommandParser:
    """Make the parser; options of the dataclasses have their defaults."""
    load_plugins()
    parser = CommandParser(prog="molzoo train", description=DESCRIPTION)
    add_model(parser)
    add_data_fields(parser, "embedded or MoleculeNet name, or a file; b3db, or the recipe's, unless it is named")
    add_folds(parser)
    add_training(parser)
    add_start(parser)
    add_output(parser)
    parser.short |= {"config": "recipe", "seed": "seeds"}
    return parser


def add_model(parser: CommandParser) -> None:
    """Add the recipe, its parts and their options, and the seeds."""
    parser.add_option(
        "--recipe",
        type=str | None,
        metavar="NAME|FILE",
        group=MODEL,
        help=f"all that follows, from a file or by name: {', '.join(list_recipes())}; options override it",
    )
    for part in PARTS:
        own = "; the model's own unless it is named" if part == "featurizer" else ""
        parser.add_option(
            f"--{part}", type=str | None, default=None if own else getattr(START, part), metavar="NAME", group=MODEL,
            help=f"name from `molzoo list {part}s`{own}",
        )  # fmt: skip
    parser.add_fields(
        Recipe, None, MODEL, skip={*PARTS, *ELSEWHERE}, advanced={"task_args", "featurizer_args", "own_encoders"}
    )
    parser.add_option(
        "--loss", type=str | None, metavar="NAME", group=MODEL,
        help="mse, mae or huber for numbers; cross_entropy, focal or squared_cross_entropy for classes; in recipes, "
        "task_args.loss",
    )  # fmt: skip
    parser.add_option(
        "--seeds", type=int, nargs="+", group=MODEL,
        help="a member of an ensemble for each, on the same parts of the data",
    )  # fmt: skip


def add_folds(parser: CommandParser) -> None:
    """Add how the members of an ensemble differ in their data."""
    parser.add_option(
        "--folds", type=int | None, metavar="N", group=SPLIT,
        help="train on N folds (of kfold, scaffold_kfold, ...), predict each; an ensemble too",
    )  # fmt: skip
    parser.add_option(
        "--resplit", action="store_true", group=SPLIT, advanced=True,
        help="cut the data anew for each seed; no test part is then new to all members",
    )  # fmt: skip


def add_training(parser: CommandParser) -> None:
    """Add the options of training."""
    parser.add_fields(TrainingOptions, "training", TRAINING, advanced=RARE)
    parser.add_option(
        "--workers", type=int, default=1, group=TRAINING,
        help="processes that train members of an ensemble, one thread each",
    )  # fmt: skip


def add_start(parser: CommandParser) -> None:
    """Add the weights to start from."""
    parser.add_option("--start.freeze", nargs="+", metavar="PART", group=START_FROM,
                      help="parts of the model that do not change, such as encoder")  # fmt: skip
    parser.short["freeze"] = "start.freeze"
    fields = {field.name for field in dataclasses.fields(StartOptions)}
    parser.add_fields(StartOptions, "start", START_FROM, skip={"freeze"}, advanced=fields - {"init"})


def add_output(parser: CommandParser) -> None:
    """Add where the run goes and what is printed."""
    parser.add_option(
        "--output", type=str | None, metavar="FOLDER", group=OUTPUT,
        help="folder of the run, or of the ensemble; a new one below runs unless it is named",
    )  # fmt: skip
    parser.add_option(
        "--resume", type=str | None, metavar="FOLDER", group=OUTPUT,
        help="run to continue with its own options; a larger --epochs trains it longer",
    )  # fmt: skip
    parser.add_option("--json", action="store_true", group=OUTPUT, help="print the results as JSON, and nothing else")
    parser.add_option("--quiet", action="store_true", group=OUTPUT, help="print the results only")
    parser.add_option("--no_card", action="store_true", group=OUTPUT, advanced=True, help="write no card of the run")
    parser.add_option(
        "--projector", type=int | None, group=OUTPUT, advanced=True,
        help="number of test molecules in TensorBoard's embedding projector",
    )  # fmt: skip
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()


def main(arguments: list[str]) -> None:
    """Train a run or an ensemble, or continue one; without arguments, the quick start."""
    quick = not arguments
    arguments = arguments or list(QUICK_START)
    parser = make_parser()
    options = parser.parse_command(arguments)

    from zoo.commands.train_ensemble import kept_plan, plan_members, train_ensemble
    from zoo.training import distributed

    options.device, options.command = distributed.initialize(options.device), ("molzoo", "train", *arguments)
    loud = distributed.is_main() and not options.quiet and not options.json
    if quick:
        print("quick start: 3 epochs, for a first look; `molzoo train --data b3db` chooses their number by the data")
    if options.resume:
        recipe = recipe_to_resume(parser, arguments, options.resume, loud)
        plan = kept_plan(recipe, options.resume)
    else:
        recipe = recipe_from_options(parser, arguments, start_recipe(parser, arguments, options.recipe, START))
        plan = plan_members(recipe, options.seeds, options.folds, options.resplit)
    if plan is not None:
        train_ensemble(plan, options, loud)
    else:
        train_single(recipe, options, loud)


def train_single(recipe: Recipe, options: Any, loud: bool) -> None:
    """Train one run, or continue it, and print its results."""
    from zoo.commands.train_story import print_json, summarize
    from zoo.data.splits import refuse_seeds
    from zoo.training import distributed

    if options.resume is None and options.seeds:
        recipe = override(recipe, {"seed": options.seeds[0]})
    refuse_seeds(recipe.data or DataOptions(), [recipe.seed])
    folder = Path(options.resume) if options.resume else distributed.broadcast(free_folder(recipe, options.output))
    outcome = train(recipe, folder, options, loud, resume=bool(options.resume))
    if distributed.is_main():
        (print_json if options.json else summarize)(outcome)
    distributed.finish()
    if outcome.history.diverged:
        print(f"molzoo: error: training diverged: {outcome.history.diverged}", file=sys.stderr)
        raise SystemExit(1)


def train(recipe: Recipe, folder: Path, options: Any, loud: bool, resume: bool = False):
    """Train one run and print its story."""
    from zoo.commands.train_story import Story, load_data
    from zoo.experiments import experiment
    from zoo.experiments.card import CardOptions
    from zoo.tasks import format_value

    dataset = load_data(recipe, folder, resume, loud)
    if loud:
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
            card=None if options.no_card else CardOptions(command=options.command),
        )
    except experiment.TrainingDiverged as error:
        outcome = error.outcome
    history = outcome.history
    if loud and history.best_epoch is not None:
        best = "" if history.best is None else f", valid {history.metric} {format_value(history.best)}"
        print(f"best epoch {history.best_epoch}{best}")
    return outcome
