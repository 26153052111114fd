"""`molzoo sharpness RUN`."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.commands.parser import CommandParser

PARTS = ("train", "valid", "test", "all")
DESCRIPTION = """How sharp the minimum of a trained model is: the rise of the loss within a ball of radius rho around
its weights, the largest eigenvalues and the trace of the Hessian, and a picture of the loss landscape.

examples:
  molzoo sharpness runs/b3db-grover-graphsam-seed0
  molzoo sharpness runs/b3db-grover-graphsam-seed0 --part test --rho 0.1 --json
  molzoo sharpness runs/adam --landscape minima.png --against runs/graphsam        both, side by side
  molzoo sharpness runs/adam --landscape between.png --against runs/graphsam --slice segment"""


def make_parser() -> CommandParser:
    """All options; what they measure is said by `zoo.sharpness.measure` and `zoo.sharpness.landscape`."""
    parser = CommandParser(prog="molzoo sharpness", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("--part", choices=PARTS, default="train", help="of the run's own data")
    parser.add_argument("--data", type=str | None, default=None, help="new place of the run's data, if they were moved")
    parser.add_argument("--rho", type=float, default=0.05, help="radius of the ball")
    parser.add_argument("--adaptive", action="store_true", help="scale the ball to the weights, as ASAM does")
    parser.add_argument("--directions", type=int, default=8, help="random directions to try")
    parser.add_argument(
        "--eigenvalues", type=int, default=1, help="how many of the Hessian; 0 leaves it out (the slowest part)"
    )
    parser.add_argument("--trace_probes", type=int, default=2, help="random vectors for the trace of the Hessian")
    parser.add_argument("--max_molecules", type=int | None, default=128, help="measure on so many; null takes all")
    parser.add_argument(
        "--stochastic", action="store_true", help="with dropout and random depths, on the training loss"
    )
    parser.add_argument("--seed", type=int, default=0, help="of molecules, directions and probes")
    parser.add_argument("--landscape", type=str | None, default=None, help="picture to write, such as landscape.png")
    parser.add_argument("--against", type=str | None, default=None, help="another run for the picture")
    parser.add_argument("--slice", choices=("grid", "line", "segment"), default="grid", help="what the picture shows")
    parser.add_argument("--points", type=int, default=11, help="of the picture, along each coordinate; odd")
    parser.add_argument("--span", type=float, default=1.0, help="half width of grid and line, in norms of the weights")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--device", default="auto", help="cpu, cuda, ...")
    parser.add_trust()
    return parser


def main(arguments: list[str]) -> None:
    """Print the numbers, as text or JSON, and write the picture."""
    options = make_parser().parse_command(arguments)
    if options.slice == "segment" and options.against is None:
        raise ValueError("--slice segment goes from one run to another: name that with --against RUN")
    if options.landscape is None and (options.against or options.slice != "grid"):
        raise ValueError("--against and --slice are for the picture: name its file with --landscape FILE.png")

    from zoo import sharpness
    from zoo.experiments.parts import choose_part
    from zoo.learners import Learner, factory

    learner = factory.load(options.run, device=options.device, trust=options.trust)
    if not isinstance(learner, Learner):
        raise TypeError(f"model {learner.recipe.model!r} is trained without gradients: it has no loss surface")
    dataset = choose_part(options.run, learner.recipe, learner.fitted, part=options.part, data=options.data).dataset
    names = ("rho", "adaptive", "directions", "eigenvalues", "trace_probes", "max_molecules", "stochastic", "seed")
    report = sharpness.measure(learner, dataset, **{name: options[name] for name in names})
    if options.json:
        print(json.dumps({"run": str(Path(options.run)), "part": options.part, **report.to_dict()}))
    else:
        print(f"{dataset} ({options.part})\n{report}")
    if options.landscape is not None:
        draw(learner, dataset, options)
        if not options.json:
            print(f"landscape in {options.landscape}")


def draw(learner, dataset, options) -> None:
    """Write the picture that the options describe."""
    from zoo import sharpness
    from zoo.learners import factory

    runs = {options.run: learner}
    if options.against is not None:
        runs[options.against] = factory.load(options.against, device=options.device, trust=options.trust)
    common = {name: options[name] for name in ("points", "max_molecules", "seed")}
    if options.slice == "segment":
        slices = [sharpness.segment(learner, runs[options.against], dataset, **common)]
    else:
        common |= {
            "span": options.span,
            "dimensions": 2 if options.slice == "grid" else 1,
            "progress": not options.json,
        }
        slices = [
            sharpness.landscape(each, dataset, name=Path(run).resolve().name, **common) for run, each in runs.items()
        ]
    sharpness.draw(*slices).savefig(options.landscape, dpi=140)
