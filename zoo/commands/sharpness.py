"""`molzoo sharpness RUN`."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.commands.parser import CommandParser

DATA, MEASURES, PICTURE = "data", "what is measured", "picture"
PARTS = ("train", "valid", "test", "all")
DESCRIPTION = """How sharp the minimum of a trained model is: the rise of the loss within a ball of radius rho around
its weights, the largest eigenvalues and the trace of the Hessian, and a picture of the loss landscape.

examples:
  molzoo sharpness runs/b3db-grover-graphsam-seed0
  molzoo sharpness runs/b3db-grover-graphsam-seed0 --part test --rho 0.1 --json
  molzoo sharpness runs/adam --landscape minima.png --against runs/graphsam
  molzoo sharpness runs/adam --landscape between.png --against runs/graphsam --slice segment"""


def make_parser() -> CommandParser:
    """Make the parser; `zoo.sharpness.measure` and `zoo.sharpness.landscape` explain the measures."""
    parser = CommandParser(prog="molzoo sharpness", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_option("--part", choices=PARTS, default="train", group=DATA, help="of the run's own data")
    parser.add_option("--data", type=str | None, metavar="NAME|FILE", group=DATA,
                      help="new place of the run's data, if they were moved")  # fmt: skip
    parser.add_option("--max_molecules", type=int | None, default=128, group=DATA,
                      help="molecules to measure on; null takes all")  # fmt: skip
    parser.add_option("--rho", type=float, default=0.05, group=MEASURES, help="radius of the ball")
    parser.add_option("--adaptive", action="store_true", group=MEASURES,
                      help="scale the ball to the weights, as ASAM does")  # fmt: skip
    parser.add_option("--directions", type=int, default=8, group=MEASURES, help="random directions to try")
    parser.add_option("--eigenvalues", type=int, default=1, group=MEASURES,
                      help="how many of the Hessian; 0 leaves it out (the slowest part)")  # fmt: skip
    parser.add_option("--trace_probes", type=int, default=2, group=MEASURES,
                      help="random vectors for the trace of the Hessian")  # fmt: skip
    parser.add_option("--stochastic", action="store_true", group=MEASURES,
                      help="with dropout and random depths, on the training loss")  # fmt: skip
    parser.add_option("--seed", type=int, default=0, group=MEASURES, help="seed of molecules, directions and probes")
    parser.add_option("--landscape", type=str | None, metavar="FILE", group=PICTURE,
                      help="picture to write, such as landscape.png")  # fmt: skip
    parser.add_option("--against", type=str | None, metavar="RUN", group=PICTURE, help="another run for the picture")
    parser.add_option("--slice", choices=("grid", "line", "segment"), default="grid", group=PICTURE,
                      help="what the picture shows")  # fmt: skip
    parser.add_option("--points", type=int, default=11, group=PICTURE, help="points along each coordinate; odd")
    parser.add_option("--span", type=float, default=1.0, group=PICTURE,
                      help="half width of grid and line, in norms of the weights")  # fmt: skip
    parser.add_option("--json", action="store_true", help="print JSON")
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
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
    from zoo.learners import Ensemble, Learner, loading

    learner = loading.load(options.run, device=options.device, trust=options.trust)
    if isinstance(learner, Ensemble):
        raise TypeError("an ensemble has no loss surface of its own: name the folder of one member")
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
    from zoo.learners import loading

    runs = {options.run: learner}
    if options.against is not None:
        runs[options.against] = loading.load(options.against, device=options.device, trust=options.trust)
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
