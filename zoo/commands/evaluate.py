"""`molzoo evaluate RUN`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions

PARTS = ("train", "valid", "test", "all")
DESCRIPTION = """Metrics of a trained model.

examples:
  molzoo evaluate runs/b3db-grover-graphsam-seed0                      the test part of the run's own data
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --data new.csv       another file, whole
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --part valid"""


def main(arguments: list[str]) -> None:
    """Print the metrics, as text or JSON."""
    parser = CommandParser(prog="molzoo evaluate", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("--data", type=str | None, default=None, help="name or file; default: the data of the run")
    parser.add_argument(
        "--part", choices=PARTS, default=None, help="default: test of the run's own data, all of others"
    )
    parser.add_class_arguments(DataOptions, None, skip={"source", "tasks"})
    parser.add_argument("--tasks", nargs="+", default=None, help="label columns")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--device", default="auto", help="cpu, cuda, ...")
    options = parser.parse_command(arguments)

    from zoo.experiments import experiment
    from zoo.learners import factory

    learner = factory.load(options.run, device=options.device)
    source = learner.recipe.data or DataOptions()
    if options.data is not None:
        names = {field.name for field in dataclasses.fields(DataOptions)} - {"source", "tasks"}
        source = DataOptions(
            source=options.data,
            tasks=tuple(options.tasks or learner.recipe.task_names) or None,
            **{name: options[name] for name in names},
        )
        source = dataclasses.replace(source, task=source.task or learner.recipe.task)
    part = options.part or ("all" if options.data is not None else "test")
    dataset = experiment.load_part(source, part, learner.recipe.seed)
    metrics = learner.evaluate(dataset)
    if options.json:
        print(json.dumps({"run": str(Path(options.run)), "data": source.source, "part": part, **metrics}))
        return
    print(f"{dataset} ({part})")
    for name, value in metrics.items():
        print(f"{name} {value:.4f}")
