"""The parser of one command: options with dashes, one line for a mistake."""

from __future__ import annotations

import re
import sys
from typing import Any, NoReturn

from jsonargparse import ArgumentParser
from jsonargparse import DefaultHelpFormatter as HelpFormatter

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z_]*")


class CommandParser(ArgumentParser):
    """`jsonargparse.ArgumentParser` with `--model-args` for `--model_args`, and errors of one line with status 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, formatter_class=TextFormatter, exit_on_error=True, **kwargs)

    def parse_command(self, arguments: list[str]):
        """Parse the arguments after the command's name."""
        return self.parse_args([with_underscores(argument) for argument in arguments])

    def add_trust(self) -> None:
        """Add the option that lets files name classes which would be imported."""
        self.add_argument(
            "--trust",
            action="store_true",
            help="also import and build what the files name by package.module:Class; only where that code may run",
        )

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """The help text, options spelled with dashes."""
        return OPTION.sub(lambda found: found[0].replace("_", "-"), super().format_help(*args, **kwargs))

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print one line and leave with status 2."""
        text = " ".join(str(message).split())
        text = re.sub(r'^Parser key "([\w.]+)":', lambda found: f"--{found[1].replace('_', '-')}:", text)
        print(f"{self.prog}: error: {text} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


class TextFormatter(HelpFormatter):
    """Keeps the line breaks of descriptions and examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "".join(indent + line for line in text.splitlines(keepends=True))


def with_underscores(argument: str) -> str:
    """`--model-args.hidden_size=64` as `--model_args.hidden_size=64`."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    first, dot, rest = name[2:].partition(".")
    return "--" + first.replace("-", "_") + dot + rest + equals + value


def named(arguments: list[str]) -> set[str]:
    """Return the names of the options that were given, as the parser knows them."""
    words = [with_underscores(argument)[2:] for argument in arguments if argument.startswith("--")]
    return {word.partition("=")[0].partition(".")[0] for word in words}
