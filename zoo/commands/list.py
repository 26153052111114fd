"""`molzoo list`."""

from __future__ import annotations

from zoo.commands.parser import CommandParser
from zoo.learners.descriptions import load_plugins
from zoo.registry.catalog import FEATURIZERS, FORMATS, METRICS, MODELS, OPTIMIZERS, SPLITS, TASKS

KINDS = {
    "models": MODELS,
    "optimizers": OPTIMIZERS,
    "featurizers": FEATURIZERS,
    "tasks": TASKS,
    "splits": SPLITS,
    "metrics": METRICS,
    "formats": FORMATS,
}


def main(arguments: list[str]) -> None:
    """Print names and summaries."""
    parser = CommandParser(
        prog="molzoo list", description="List the parts of the zoo.\n\nexample: molzoo list optimizers"
    )
    parser.add_argument("kind", nargs="?", choices=list(KINDS), help="only these")
    kind = parser.parse_command(arguments).kind
    load_plugins()
    for title, registry in KINDS.items():
        if kind in (None, title):
            width = max(len(entry.name) for entry in registry)
            print(title)
            for entry in registry:
                print(f"  {entry.name:<{width}}  {entry.summary}")
