"""`molzoo calibrate RUN`."""

from __future__ import annotations

from zoo.commands.data_fields import add_data_fields
from zoo.commands.parser import CommandParser
from zoo.recipe.uncertainty import UncertaintyOptions
from zoo.registry.catalog import ESTIMATORS

DESCRIPTION = """Calibrate how sure a trained model is: correct its probabilities, scale its deviations, and learn the
intervals or sets that hold a share of the true values. The validation part of the run's own data is used, as the run
was cut; of other data, all. The result is stored in the run. `molzoo train` does this by itself for predictions and for
kinds of target that predict a distribution; estimators of several passes are calibrated on request.

examples:
  molzoo calibrate runs/b3db-grover-graphsam-seed0 --method platt --conformal-method mondrian
  molzoo calibrate runs/esol-gcn-seed0 --uncertainty mc_dropout
  molzoo predict runs/esol-gcn-seed0 new.csv --uncertainty mc_dropout --coverage 0.9"""
HOW = "calibration"


def main(arguments: list[str]) -> None:
    """Calibrate a run and print what was found."""
    parser = CommandParser(prog="molzoo calibrate", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run, a checkpoint or an ensemble")
    parser.add_fields(UncertaintyOptions, None, HOW, skip={"coverage"}, names={"uncertainty": ESTIMATORS.names()})
    parser.add_option(
        "--method", type=str | None, group=HOW,
        help="of probabilities: temperature, platt, isotonic, none; of deviations: z_scaling, zelikman, none",
    )  # fmt: skip
    parser.add_option(
        "--conformal_method", type=str | None, group=HOW,
        help="of sets: sets, adaptive, mondrian (each class by itself); of intervals: absolute, normalized, interval",
    )  # fmt: skip
    parser.add_option("--part", choices=("train", "valid", "test", "all"), help="as the run was cut; valid by default")
    add_data_fields(parser, "name or file; the data of the run unless it is named")
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.experiments.parts import choose_part
    from zoo.learners import loading
    from zoo.trust import calibrate, save_calibration

    learner = loading.load(options.run, device=options.device, trust=options.trust)
    given = parser.parse_given(arguments).get("data", {})
    data = given.pop("source", None)
    if given.get("tasks") is not None:
        given["tasks"] = tuple(given["tasks"])
    part = options.part or ("valid" if data is None else None)
    chosen = choose_part(options.run, learner.recipe, learner.fitted, part=part, data=data, given=given)
    found = calibrate(
        learner,
        chosen.dataset,
        options.uncertainty or "calibrated",
        method=options.method,
        conformal_method=options.conformal_method,
        **options.uncertainty_args,
    )
    save_calibration(learner, options.run)
    print(f"{chosen.dataset} ({chosen.part})")
    for note in chosen.notes:
        print(f"note: {note}")
    print(found.describe(learner.fitted.output_names))
    if chosen.warning:
        print(f"ATTENTION: {chosen.warning}")
