"""`molzoo pretrain CORPUS`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from zoo.commands.parser import CommandParser
from zoo.pretraining.options import PretrainingOptions
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.overriding import override
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import PRETRAINING
from zoo.registry.plugins import load_plugins
from zoo.runs.names import next_folder

MODEL, LEARNED, TRAINING, OUTPUT = "model and optimizer", "what is learned", "training", "output"
START = Recipe("grover")
DESCRIPTION = """Train the encoder of a model on molecules without labels; `molzoo train --init FOLDER` fine-tunes it.

GROVER learns the surroundings of atoms and bonds and the functional groups of a molecule, every other model the
surroundings of atoms that are hidden from it.

examples:
  molzoo pretrain corpus.csv --output pretrained --epochs 5 --num-workers 2 --cache-dir cache
  molzoo pretrain corpus.csv --model gps --optimizer graphsam
  molzoo pretrain corpus.csv --resume pretrained
  molzoo train --init pretrained --data my.csv --lr-encoder 0.1x
  torchrun --nproc-per-node 2 -m zoo pretrain corpus.csv --output pretrained"""


def make_parser() -> CommandParser:
    """Make the parser."""
    load_plugins()
    parser = CommandParser(prog="molzoo pretrain", description=DESCRIPTION)
    parser.add_argument("corpus", help="file of molecules: CSV, SMI, Parquet, ...; labels are not read")
    for part in ("model", "optimizer", "featurizer"):
        default = None if part == "featurizer" else getattr(START, part)
        own = "; the model's own unless it is named" if part == "featurizer" else ""
        parser.add_option(f"--{part}", type=str | None, default=default, metavar="NAME", group=MODEL,
                          help=f"name from `molzoo list {part}s`{own}")  # fmt: skip
    kept = {"model_args", "optimizer_args", "featurizer_args"}
    skip = {field.name for field in dataclasses.fields(Recipe)} - kept
    parser.add_fields(Recipe, None, MODEL, skip=skip, advanced={"featurizer_args"})
    parser.add_option("--seed", type=int, default=0, group=MODEL, help="seed of weights, batches and what is drawn")
    parser.add_option("--smiles_column", type=str | None, metavar="NAME", group=LEARNED,
                      help="column of the SMILES; found unless it is named")  # fmt: skip
    parser.add_fields(
        PretrainingOptions, "pretraining", LEARNED, advanced={"min_count", "max_words"},
        names={"objective": PRETRAINING.names()},
    )  # fmt: skip
    shown = {"epochs", "batch_size", "num_workers", "cache_dir", "precision", "max_grad_norm"}
    fields = {field.name for field in dataclasses.fields(TrainingOptions)}
    parser.add_fields(TrainingOptions, "training", TRAINING, skip={"monitor"}, advanced=fields - shown)
    parser.add_option("--output", type=str | None, metavar="FOLDER", group=OUTPUT,
                      help="folder of the run; a new one below runs unless it is named")  # fmt: skip
    parser.add_option("--resume", type=str | None, metavar="FOLDER", group=OUTPUT, help="run to continue")
    parser.add_option("--quiet", action="store_true", group=OUTPUT, help="print the result only")
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    return parser


def main(arguments: list[str]) -> None:
    """Pre-train, or continue a run."""
    parser = make_parser()
    options = parser.parse_command(arguments)

    from zoo.pretraining import pretrain
    from zoo.runs.json_files import read_json
    from zoo.training import distributed

    device = distributed.initialize(options.device)
    folder = Path(options.resume) if options.resume else distributed.broadcast(free_folder(options))
    start = stored_recipe(folder) if options.resume else START
    given = parser.parse_given(arguments, start.to_dict())
    chosen = given.get("pretraining", {})
    if options.resume:
        chosen = {**(read_json(folder / "pretraining.json") or {}), **chosen}
    outcome = pretrain(
        recipe_of(start, given, options),
        PretrainingOptions(**chosen),
        folder=folder,
        resume=bool(options.resume),
        progress=False if options.quiet else None,
        device=device,
    )
    if distributed.is_main():
        print_outcome(outcome, folder)
    distributed.finish()


def recipe_of(start: Recipe, given: dict[str, Any], options: Any) -> Recipe:
    """Return the recipe with the options that were given."""
    names = ("model", "optimizer", "featurizer", "model_args", "optimizer_args", "featurizer_args", "training", "seed")
    changes = {name: given[name] for name in names if name in given}
    data = DataOptions(source=options.corpus, smiles_column=options.smiles_column, tasks=())
    return dataclasses.replace(override(start, changes), data=data)


def stored_recipe(folder: Path) -> Recipe:
    """Return the recipe of the run to resume.

    Raises:
        ValueError: There is no run.
    """
    from zoo.runs.folder import RunFolder

    recipe = RunFolder(folder).recipe
    if recipe is None:
        raise ValueError(f"{folder} holds no run that could be resumed: start one with --output {folder}")
    return recipe


def free_folder(options: Any) -> Path:
    """Return the folder that the user named, or the next free one below `runs`."""
    if options.output is not None:
        return Path(options.output)
    return next_folder(f"pretrained-{Path(options.corpus).stem}-{options.model}-seed{options.seed}")


def print_outcome(outcome: Any, folder: Path) -> None:
    """Print what was learned and what to do with it."""
    history = outcome.history
    print(f"corpus     {outcome.molecules[0]:,} molecules to train on, {outcome.molecules[1]:,} to validate on")
    print(f"words      {outcome.words[0]:,} of atoms, {outcome.words[1]:,} of bonds")
    if history.best_epoch is not None:
        valid = history.epochs[history.best_epoch - 1].valid
        losses = ", ".join(f"{name} {value:.4g}" for name, value in valid.items())
        print(f"best epoch {history.best_epoch}, on the validation part: {losses}")
    print(f"run        {folder}")
    print(f"fine-tune  molzoo train --init {folder} --data FILE")
    print(f"watch      tensorboard --logdir {folder}")
