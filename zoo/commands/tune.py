"""`molzoo tune`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Search hyperparameters with Optuna. The validation part judges the trials; the test part is never seen.

The same command continues; started several times at once, the processes share the trials.

A specification:
  model: grover
  optimizer: graphsam
  data: {source: b3db, split: scaffold}
  training: {epochs: 10}
  trials: 30
  search:
    optimizer_args.lr: {low: 0.0001, high: 0.01, log: true}
    optimizer_args.rho: [0.01, 0.05, 0.1]
    model_args.hidden_size: [64, 128]

examples:
  molzoo tune search.yaml
  molzoo tune search.yaml --output tuned && molzoo train --recipe tuned/recipe.yaml"""


def main(arguments: list[str]) -> None:
    """Search, print the best and write its recipe."""
    parser = CommandParser(prog="molzoo tune", description=DESCRIPTION)
    parser.add_argument("specification", help="YAML file")
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        help="folder of the journal and of the best recipe; default: results/NAME",
    )
    parser.add_argument(
        "--data_dir", type=str | None, default=None, help="folder of MoleculeNet's files; default: MOLZOO_DATA"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, ...")
    parser.add_trust()
    options = parser.parse_command(arguments)

    import yaml

    from zoo.experiments.tuning.tuning import Tuning, best_recipe, tune
    from zoo.runs.names import safe_name

    tuning = Tuning.read(options.specification)
    folder = Path(options.output or Path("results") / safe_name(tuning.name))
    study = tune(
        tuning,
        folder / "journal.log",
        data_dir=options.data_dir,
        device=options.device,
        trust=options.trust,
        report=lambda line: print(line, flush=True),
    )
    recipe = best_recipe(tuning, study)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(as_plain(recipe.to_dict()), sort_keys=False), encoding="utf-8")
    print(f"best of {len(study.trials)} trials: trial {study.best_trial.number}, validation {study.best_value:.4f}")
    for name, value in study.best_params.items():
        print(f"  {name} {value}")
    print(f"train and test it with: molzoo train --recipe {path}")


def as_plain(value):
    """Convert tuples to lists and mappings to dictionaries, for YAML."""
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
