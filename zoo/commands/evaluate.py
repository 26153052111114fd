"""`molzoo evaluate RUN`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from zoo.commands.parser import CommandParser, named
from zoo.recipe.options import DataOptions

PARTS = ("train", "valid", "test", "all")
DESCRIPTION = """Metrics of a trained model.

examples:
  molzoo evaluate runs/b3db-grover-graphsam-seed0                      the test part of the run's own data
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --data new.csv       all of another file
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --data moved/b3db.csv   the run's own data in another place
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --part valid"""


def main(arguments: list[str]) -> None:
    """Print the metrics, as text or JSON."""
    parser = CommandParser(prog="molzoo evaluate", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("--data", type=str | None, default=None, help="name or file; default: the data of the run")
    parser.add_argument(
        "--part",
        choices=PARTS,
        default=None,
        help="as the run was cut; default: test of the run's own data, all of others",
    )
    parser.add_class_arguments(DataOptions, None, skip={"source", "tasks"})
    parser.add_argument("--tasks", nargs="+", default=None, help="label columns")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--device", default="auto", help="cpu, cuda, ...")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.commands.train import print_details
    from zoo.experiments.parts import choose_part
    from zoo.learners import factory
    from zoo.runs.json_files import plain
    from zoo.tasks import format_value

    learner = factory.load(options.run, device=options.device, trust=options.trust)
    names = {field.name for field in dataclasses.fields(DataOptions)} & named(arguments)
    given = {name: options[name] for name in names - {"source"}}
    if given.get("tasks") is not None:
        given["tasks"] = tuple(given["tasks"])
    chosen = choose_part(options.run, learner.recipe, learner.fitted, part=options.part, data=options.data, given=given)
    metrics = learner.evaluate(chosen.dataset)
    if options.json:
        facts = {"data": chosen.source.source, "part": chosen.part, "trained_on": chosen.trained_on}
        details = {"per_task": metrics.by_task, "unpredicted": metrics.unpredicted}
        print(json.dumps(plain({"run": str(Path(options.run)), **facts, **metrics, **details}), allow_nan=False))
        return
    print(f"{chosen.dataset} ({chosen.part})")
    for note in chosen.notes:
        print(f"note: {note}")
    for name, value in metrics.items():
        print(f"{name} {format_value(value)}")
    print_details(metrics)
    if chosen.warning:
        print(f"ATTENTION: {chosen.warning}")
