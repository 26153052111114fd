"""`molzoo describe NAME`."""

from __future__ import annotations

from zoo.commands.parser import CommandParser

DESCRIPTION = """Say what a name means: reference, options, defaults, and what each option does.

examples:
  molzoo describe graphsam
  molzoo describe grover --parameters
  molzoo describe kfold
  molzoo describe runs/b3db-grover-graphsam-seed0"""


def main(arguments: list[str]) -> None:
    """Print the description of a part."""
    parser = CommandParser(prog="molzoo describe", description=DESCRIPTION)
    parser.add_argument("name", help="as listed by `molzoo list`, or the folder of a run, a checkpoint or an ensemble")
    parser.add_option(
        "--parameters", action="store_true", help="count the trainable parameters of a model too (slower)"
    )
    options = parser.parse_command(arguments)

    from zoo.learners.descriptions import describe

    print(describe(options.name, parameters=options.parameters))
