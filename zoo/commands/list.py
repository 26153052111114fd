"""`molzoo list`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from zoo.commands.parser import CommandParser
from zoo.data.reading.sets import ENTRIES
from zoo.recipe.presets import list_recipes
from zoo.registry.catalog import REGISTRIES
from zoo.registry.plugins import load_plugins

KINDS = (*REGISTRIES, "recipes", "datasets")
DESCRIPTION = """List what has a name: models, optimizers, featurizers, kinds of target (tasks), splits, metrics,
formats of files, estimators of uncertainty, measures of the domain, explainers, objectives of pre-training,
pre-trained encoders (weights), recipes and data sets.
`molzoo describe NAME` says more of each.

examples:
  molzoo list
  molzoo list optimizers"""
WIDTH = 100


def main(arguments: list[str]) -> None:
    """Print names and summaries."""
    parser = CommandParser(prog="molzoo list", description=DESCRIPTION)
    parser.add_argument("kind", nargs="?", choices=KINDS, help="only these")
    kind = parser.parse_command(arguments).kind
    load_plugins()
    for title in KINDS:
        if kind in (None, title):
            print("\n".join([title, *rows(summaries(title))]))


def summaries(title: str) -> Mapping[str, str]:
    """Return the names of a kind, with a line for each."""
    if title == "recipes":
        return list_recipes()
    if title == "datasets":
        return {entry.name: entry.summary for entry in ENTRIES}
    return {entry.name: entry.summary for entry in REGISTRIES[title]}


def rows(texts: Mapping[str, str]) -> list[str]:
    """Return the lines of a list, summaries wrapped next to their names."""
    width = max(map(len, texts))
    lines = []
    for name, text in texts.items():
        first, *rest = textwrap.wrap(text, WIDTH - width - 4, break_on_hyphens=False) or [""]
        lines += [f"  {name:<{width}}  {first}".rstrip(), *(" " * (width + 4) + line for line in rest)]
    return lines
