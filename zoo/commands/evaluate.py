"""`molzoo evaluate RUN`."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.commands.data_fields import add_data_fields
from zoo.commands.parser import CommandParser
from zoo.recipe.uncertainty import UncertaintyOptions
from zoo.registry.catalog import ESTIMATORS

UNCERTAINTY = "uncertainty"
PARTS = ("train", "valid", "test", "all")
DESCRIPTION = """Metrics of a trained model, with bootstrap intervals.

The test part of the run's own data is measured, as the run was cut; of other data, all.

examples:
  molzoo evaluate runs/b3db-grover-graphsam-seed0
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --part valid
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --data new.csv --output metrics.csv
  molzoo evaluate runs/b3db-grover-graphsam-seed0 --data moved/b3db.csv --part test
  molzoo evaluate runs/esol-gcn-seed0 --uncertainty mc_dropout --coverage 0.9"""


def main(arguments: list[str]) -> None:
    """Print the metrics, as text or JSON."""
    parser = CommandParser(prog="molzoo evaluate", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_option("--part", choices=PARTS, help="as the run was cut; test of the run's own data, or all of others")
    parser.add_option("--json", action="store_true", help="print JSON")
    parser.add_option("--output", type=str | None, metavar="FILE",
                      help="write a CSV file: each metric of each task with its interval")  # fmt: skip
    parser.add_option("--threshold", type=float | None, metavar="P",
                      help="probability from which a molecule counts to class 1; that of the run, chosen on its "
                      "validation part, unless it is given")  # fmt: skip
    add_data_fields(parser, "name or file; the data of the run unless it is named", skip={"test_file"})
    parser.add_fields(UncertaintyOptions, None, UNCERTAINTY, names={"uncertainty": ESTIMATORS.names()})
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.commands.train_story import print_details
    from zoo.experiments.certainty import measure_uncertainty, picture_of
    from zoo.experiments.parts import choose_part, refuse_mixed_parts
    from zoo.learners import loading
    from zoo.runs.json_files import plain, write_text

    learner = loading.load(options.run, device=options.device, trust=options.trust)
    given = parser.parse_given(arguments).get("data", {})
    data = given.pop("source", None)
    if data is None:
        refuse_mixed_parts(learner, options.run)
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    chosen = choose_part(options.run, learner.recipe, learner.fitted, part=options.part, data=data, given=given)
    metrics = learner.evaluate(chosen.dataset, threshold=options.threshold)
    if options.output:
        write_text(Path(options.output), metrics.to_frame().to_csv(index=False))
    asked = UncertaintyOptions(options.uncertainty, options.uncertainty_args, options.coverage).keywords()
    report = None
    if asked:
        report = measure_uncertainty(learner, chosen.dataset, Path(options.run), asked)
    if options.json:
        facts = {"data": chosen.source.source, "part": chosen.part, "trained_on": chosen.trained_on}
        values = {"run": str(Path(options.run)), **facts, **metrics, **metrics.to_dict()}
        values |= {"uncertainty": report.to_dict()} if report else {}
        print(json.dumps(plain(values), allow_nan=False))
        return
    print(f"{chosen.dataset} ({chosen.part})")
    for note in chosen.notes:
        print(f"note: {note}")
    for name in metrics:
        print(metrics.describe(name))
    print_details(metrics)
    if report:
        print(report)
        if report.coverage and chosen.part == "valid":
            print("note: the calibration was fitted on these molecules: measure it on others")
        print(f"drawn in {picture_of(Path(options.run), report.estimator)}")
    if chosen.warning:
        print(f"ATTENTION: {chosen.warning}")
