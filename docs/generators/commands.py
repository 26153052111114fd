"""A page for each command: every option of its parser, and the text of its `--help`."""

from __future__ import annotations

import contextlib
import importlib
import io
from argparse import SUPPRESS
from typing import Any

from generators.markdown import make_cell, make_fence
from zoo.commands import main as cli
from zoo.commands.help_text import Place, explain, operand, placeholder
from zoo.commands.parser import CommandParser


class Found(Exception):
    """Raised with the parser of a command where it would parse."""

    def __init__(self, parser: CommandParser) -> None:
        super().__init__(parser.prog)
        self.parser = parser


def make_pages() -> dict[str, str]:
    """Return the pages by their places, the overview first."""
    pages = {"commands/index.md": make_overview()}
    for name in cli.COMMANDS:
        pages[f"commands/{name}.md"] = make_page(name)
    return pages


def make_overview() -> str:
    """Return the page with `molzoo --help` and a table of the commands."""
    rows = [f"| [`molzoo {name}`]({name}.md) | {summary} |" for name, summary in cli.COMMANDS.items()]
    return "\n".join(
        [
            "# Commands\n",
            "Each page has every option of a command, and its help text as the terminal shows it. "
            "`molzoo COMMAND --help-all` prints all options there.\n",
            "| command | what it does |",
            "|---|---|",
            *rows,
            "\n## molzoo --help\n",
            make_fence("text", cli.help_text()),
        ]
    )


def make_page(name: str) -> str:
    """Return the page of a command."""
    parser = find_parser(name)
    parts = [f"# molzoo {name}\n", f"{capitalize(cli.COMMANDS[name])}.\n", "## Options\n"]
    for title, rows in group_options(parser).items():
        parts += [f"### {title.capitalize()}\n", *rows]
    help_text = read_help(name, "--help")
    parts += [f"## molzoo {name} --help\n", make_fence("text", help_text)]
    return "\n".join(parts)


def find_parser(name: str) -> CommandParser:
    """Return the parser of a command, as it is when arguments are parsed.

    Raises:
        LookupError: The command never parses.
    """

    def stop(parser: CommandParser, *_: Any, **__: Any) -> None:
        raise Found(parser)

    module = importlib.import_module(f"zoo.commands.{cli.MODULES.get(name, name)}")
    parse = CommandParser._parse
    CommandParser._parse = stop  # type: ignore[method-assign, assignment]
    try:
        module.main([])
    except Found as found:
        return found.parser
    finally:
        CommandParser._parse = parse  # type: ignore[method-assign]
    raise LookupError(f"molzoo {name} parses no arguments")


def read_help(name: str, flag: str) -> str:
    """Return what a command prints for `--help` or `--help-all`."""
    printed = io.StringIO()
    module = importlib.import_module(f"zoo.commands.{cli.MODULES.get(name, name)}")
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        module.main([flag])
    return printed.getvalue().rstrip("\n")


def group_options(parser: CommandParser) -> dict[str, list[str]]:
    """Return entries of a list for each group of options, in the order of the help text."""
    spelling = parser.spelling
    sections = {option.partition(".")[0] for option in spelling.names if "." in option}
    groups: dict[str, list[str]] = {}
    for action in parser._actions:
        if action.help in (None, SUPPRESS) or action.dest in sections:
            continue
        place = parser.places.get(action.dest, Place())
        bare = not action.option_strings
        title = place.group or ("arguments" if bare else "other options")
        name = operand(action) if bare else f"{spelling.flag(action.dest)}{placeholder(action)}"
        text, _, default = explain(action, place, spelling, True).partition(" (default: ")
        value = f" = `{default.removesuffix(')')}`" if default else ""
        groups.setdefault(title, []).append(f"`{name}`{value}\n:   {capitalize(make_cell(text))}\n")
    last = groups.pop("other options", [])
    return {**groups, "other options": last} if last else groups


def capitalize(text: str) -> str:
    """Return a text with a capital first letter, unless it begins with a name."""
    return text[:1].upper() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
