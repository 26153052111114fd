"""`molzoo describe NAME`."""

from __future__ import annotations

from zoo.commands.parser import CommandParser
from zoo.learners.descriptions import describe


def main(arguments: list[str]) -> None:
    """Print what a part is and which options it has."""
    parser = CommandParser(
        prog="molzoo describe",
        description="Reference, options and defaults of a model, an optimizer or a featurizer.\n\n"
        "example: molzoo describe graphsam",
    )
    parser.add_argument("name", help="as listed by `molzoo list`")
    print(describe(parser.parse_command(arguments).name))
