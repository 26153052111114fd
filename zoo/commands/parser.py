"""The parser of one command: dataclasses and single options, short flags, one line for a mistake."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, get_type_hints

from jsonargparse import ArgumentParser, Namespace

from zoo.commands.help_text import Place, format_command_help
from zoo.commands.spelling import Spelling, is_mapping
from zoo.recipe.mapping import describe_type
from zoo.registry.docstrings import arguments_of_class

FAULT = re.compile(
    r'^(?:Parser key "(?P<key>[\w.]+)"(?: element \d+)?|argument --(?P<name>[\w.-]+)): *(?P<text>.*)', re.S
)
GIVEN = re.compile(r"(?:Got|Given) value: (?P<value>.*)", re.S)
REQUIRED = re.compile(r"the following arguments are required: (.*)")
LONGEST = 400


class CommandParser(ArgumentParser):
    """`jsonargparse.ArgumentParser` of one command: options by group, short flags, errors of one line with status 2.

    Args:
        prog: Name of the command, such as "molzoo train".
        description: What it does, with examples.
    """

    def __init__(self, *, prog: str, description: str) -> None:
        self.places: dict[str, Place] = {}
        self.short: dict[str, str] = {}
        super().__init__(prog=prog, description=description, exit_on_error=True, allow_abbrev=False, add_help=False)

    def add_option(self, *names: str, group: str = "", advanced: bool = False, **options: Any) -> None:
        """Add an option to a group of the help text; advanced ones are shown by `--help-all` alone."""
        action = self.add_argument(*names, **options)
        self.places[action.dest] = Place(group, advanced)

    def add_fields(
        self,
        cls: type,
        section: str | None,
        group: str | Callable[[str], str],
        *,
        skip: Collection[str] = (),
        advanced: Collection[str] = (),
        names: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Add the fields of a dataclass, each with its type, its default and the text of its docstring.

        Args:
            cls: The dataclass.
            section: Name of the field that holds it: `--training.epochs` and, in short, `--epochs`; None for none.
            group: Group in the help text, or a function from the field to it.
            skip: Fields that are left out.
            advanced: Fields that `--help-all` alone shows.
            names: Names that a field accepts.
        """
        self.add_class_arguments(cls, section, skip=set(skip))
        texts, hints = arguments_of_class(cls), get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if field.name in skip:
                continue
            dest = f"{section}.{field.name}" if section else field.name
            action = next(action for action in self._actions if action.dest == dest)
            action.help, action.molzoo_type = texts.get(field.name, ""), hints[field.name]  # type: ignore[attr-defined]
            place = group if isinstance(group, str) else group(field.name)
            self.places[dest] = Place(place, field.name in advanced, tuple((names or {}).get(field.name, ())))
            if section:
                self.short[field.name] = dest

    def add_trust(self) -> None:
        """Add the option that lets files name classes which would be imported."""
        self.add_argument(
            "--trust",
            action="store_true",
            help="also import and build what the files name by package.module:Class; only where that code may run",
        )

    @property
    def spelling(self) -> Spelling:
        """Names of the options."""
        names = {string[2:] for action in self._actions for string in action.option_strings if string.startswith("--")}
        sections = {name.partition(".")[0] for name in names if "." in name}
        mappings = {action.dest for action in self._actions if is_mapping(action)}
        return Spelling(self.prog, frozenset(names - sections), dict(self.short), mappings)

    def parse_command(self, arguments: list[str]) -> Namespace:
        """Parse the arguments after the command's name; `--help` and `--help-all` print and leave."""
        return self._parse(arguments, defaults=True)

    def parse_given(self, arguments: list[str], start: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the options that were given, nested as the dataclasses are; defaults are left out.

        Args:
            arguments: What follows the command's name.
            start: Values that are overridden. `--model-args.NAME VALUE` changes one option of a mapping in them,
                `--model-args JSON` the mapping.
        """
        given = plain(self._parse(arguments, defaults=False))
        words = {self.spelling.resolve(word).partition("=")[0] for word in arguments}
        for name in self.spelling.mappings:
            if f"--{name}" not in words:
                fill_up(given, start or {}, name.split("."))
        return given

    def _parse(self, arguments: list[str], defaults: bool) -> Namespace:
        asked = {"-h", "--help", "--help-all"}.intersection(arguments)
        if asked:
            everything = "--help-all" in asked
            print(format_command_help(self.description or "", self._actions, self.places, self.spelling, everything))
            raise SystemExit(0)
        try:
            words = [self.spelling.resolve(word) for word in arguments]
        except ValueError as error:
            self.error(str(error))
        return self.parse_args(words, defaults=defaults)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print one line and leave with status 2."""
        from zoo.data.errors import printable

        text = printable(" ".join(self.explain(str(message)).split()))
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
        print(f"molzoo: error: {text} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)

    def explain(self, message: str) -> str:
        """Return a message of jsonargparse in the words of this command."""
        if missing := REQUIRED.match(message):
            return f"name what to work on: {self.prog} {missing[1].upper().replace(', ', ' ')}"
        found = FAULT.match(message)
        if found is None:
            return message
        dest = (found["key"] or found["name"]).replace("-", "_")
        action = next((action for action in self._actions if action.dest == dest), None)
        given = GIVEN.search(found["text"])
        flag = self.spelling.flag(dest)
        hint = getattr(action, "molzoo_type", None) or getattr(action, "_typehint", None)
        if given is None or hint is None:
            return f"{flag}: {found['text']}"
        return f"{flag} {given['value'].strip()}: give {describe_type(hint).removesuffix(' or null')}"


def plain(values: Any) -> Any:
    """Return namespaces as dictionaries."""
    return {key: plain(value) for key, value in vars(values).items()} if isinstance(values, Namespace) else values


def fill_up(given: dict[str, Any], start: Mapping[str, Any], path: list[str]) -> None:
    """Fill up a nested mapping of options, if there is one, with those that it starts from."""
    *sections, last = path
    for section in sections:
        given, start = given.get(section) or {}, start.get(section) or {}
    if last in given:
        given[last] = {**(start.get(last) or {}), **given[last]}
