"""`molzoo tune`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.data_fields import add_data_fields
from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import METRICS

if TYPE_CHECKING:
    from zoo.experiments.tuning import Tuning

DESCRIPTION = """Search hyperparameters with Optuna. The validation part judges the trials; the test part is never seen.

Without a specification the space follows from the model and the optimizer: width, depth, dropout, learning rate, rho,
batch size. Options that are given stay as they are. The defaults are tried first.

The same command continues; started several times at once, the processes share the trials.

examples:
  molzoo tune --model gcn --data b3db --trials 30
  molzoo tune --model dmpnn --data my.csv --tasks logS --epochs 20 --trials 50 --timeout 3600
  molzoo tune search.yaml --output tuned && molzoo train --recipe tuned/recipe.yaml

A specification:
  model: grover
  optimizer: graphsam
  data: {source: b3db, split: scaffold}
  training: {epochs: 10}
  trials: 30
  search:
    optimizer_args.lr: {low: 0.0001, high: 0.01, log: true}
    optimizer_args.rho: [0.01, 0.05, 0.1]
    model_args.hidden_size: [64, 128]"""

SEARCH, MODEL, TRAINING, OUTPUT = "search", "model and optimizer", "training", "output"
PARTS = ("model", "optimizer", "featurizer", "model_args", "optimizer_args", "featurizer_args")
HOW = ("trials", "seeds", "sampler_seed", "max_molecules")
USUAL = frozenset((
    "data.source", "data.tasks", "data.data_dir", "data.smiles_column", "data.task", "data.metric", "data.split",
    "training.epochs", "training.batch_size", "training.patience", "training.monitor",
))  # fmt: skip
"""Options of data and training that the first help text shows."""


def make_parser() -> CommandParser:
    """Make the parser."""
    parser = CommandParser(prog="molzoo tune", description=DESCRIPTION)
    parser.add_argument("specification", nargs="?", type=str | None, default=None, help="YAML file; or give --model")
    parser.add_option("--trials", type=int, group=SEARCH, help="number of trials, over all starts; 30 unless given")
    parser.add_option(
        "--timeout", type=float | None, metavar="SECONDS", group=SEARCH, help="begin no new trial after this time"
    )
    parser.add_option("--seeds", type=int, nargs="+", group=SEARCH, help="train each trial with all of them; 0")
    parser.add_option("--sampler_seed", type=int, group=SEARCH, help="seed of the choice of trials; 0")
    parser.add_option("--max_molecules", type=int | None, group=SEARCH, help="draw so many molecules; all unless given")
    for part in ("model", "optimizer", "featurizer"):
        parser.add_option(
            f"--{part}", type=str | None, metavar="NAME", group=MODEL, help=f"name from `molzoo list {part}s`"
        )
    skipped = {field.name for field in dataclasses.fields(Recipe)} - set(PARTS[3:])
    parser.add_fields(Recipe, None, MODEL, skip=skipped, advanced={"featurizer_args"})
    add_data_fields(parser, "embedded or MoleculeNet name, or a file; b3db unless it is named", skip={"test_file"})
    names = {"monitor": ["loss", *METRICS.names()]}
    parser.add_fields(TrainingOptions, "training", TRAINING, names=names)
    for dest, place in parser.places.items():
        if dest.startswith(("data.", "training.")) and dest not in USUAL:
            parser.places[dest] = dataclasses.replace(place, advanced=True)
    parser.add_option(
        "--output", type=str | None, metavar="FOLDER", group=OUTPUT,
        help="folder of the journal and of the best recipe; results/NAME unless it is named",
    )  # fmt: skip
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    return parser


def main(arguments: list[str]) -> None:
    """Search, print the best and write its recipe."""
    parser = make_parser()
    options = parser.parse_command(arguments)
    given = parser.parse_given(arguments)

    import yaml

    from zoo.experiments.tuning.default_space import describe_search
    from zoo.experiments.tuning.tuning import best_recipe, tune, write_trials
    from zoo.runs.names import safe_name

    data_dir = given.get("data", {}).pop("data_dir", None)
    tuning = read_specification(given) if options.specification else from_options(given)
    folder = Path(options.output or Path("results") / safe_name(tuning.name))
    if not options.specification:
        print("\n".join(["search", *(f"  {line}" for line in describe_search(tuning.search))]))
    study = tune(
        tuning,
        folder / "journal.log",
        data_dir=data_dir,
        device=options.device,
        timeout=options.timeout,
        trust=options.trust,
        report=lambda line: print(line, flush=True),
    )
    write_trials(folder / "trials.csv", study)
    recipe = best_recipe(tuning, study)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(as_plain(recipe.to_dict()), sort_keys=False), encoding="utf-8")
    print(f"best of {len(study.trials)} trials: trial {study.best_trial.number}, validation {study.best_value:.4f}")
    for name, value in study.best_params.items():
        print(f"  {name} {value}")
    print(f"train and test it with: molzoo train --recipe {path}")


def read_specification(given: dict[str, Any]) -> Tuning:
    """Read the specification that was named, with the number of trials that was given.

    Raises:
        ValueError: Options that belong into it are given next to it.
    """
    from zoo.experiments.tuning.specification import Tuning

    others = [name for name in (*PARTS, "data", "training", *HOW[1:]) if given.get(name)]
    if others:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise ValueError(
            f"{given['specification']} says what is searched: write {flags} into it, or leave the file out"
        )
    tuning = Tuning.read(given["specification"])
    return dataclasses.replace(tuning, trials=given["trials"]) if "trials" in given else tuning


def from_options(given: dict[str, Any]) -> Tuning:
    """Make the specification of the search through the default space of a model.

    Raises:
        ValueError: No model is named.
    """
    from zoo.commands.train import START
    from zoo.experiments.tuning.specification import Tuning
    from zoo.learners.factory import recipe_for

    if given.get("model") is None:
        raise ValueError("name the model whose options are searched, such as --model gcn, or a specification")
    parts = {name: given[name] for name in ("model_args", "optimizer_args", "featurizer_args") if name in given}
    recipe = recipe_for(given["model"], given.get("optimizer") or START.optimizer, given.get("featurizer"), **parts)
    training = given.get("training", {})
    source = Path(given.get("data", {}).get("source") or DataOptions().source).stem.split(".")[0]
    trained = "" if recipe.optimizer == "none" else f"-{recipe.optimizer}"
    return Tuning.of(
        recipe,
        featurizer=given.get("featurizer"),
        fixed=[f"training.{name}" for name in training],
        name=f"tune-{source}-{recipe.model}{trained}",
        data=as_plain(given.get("data", {})),
        training=training,
        defaults_first=True,
        **{name: given[name] for name in HOW if given.get(name) is not None},
    )


def as_plain(value: Any) -> Any:
    """Convert tuples to lists and mappings to dictionaries, for YAML."""
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
