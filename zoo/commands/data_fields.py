"""Options of data that several commands have, from the dataclasses that hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions, ReadOptions
from zoo.registry.catalog import METRICS, SPLITS, TASKS
from zoo.registry.plugins import load_plugins

DATA, SPLIT = "data", "splits"
RARE = frozenset(("metric_args", "label_names", "separator", "encoding", "decimal", "on_invalid"))
TASK_COLUMNS = "label columns; the data set's own, or all that look like labels"


def add_data_fields(parser: CommandParser, source: str) -> None:
    """Add the fields of `DataOptions`: `--data`, the options of reading, and those of splits.

    Args:
        parser: Of the command.
        source: What `--data` means there.
    """
    load_plugins()
    parser.add_option("--data.source", type=str | None, metavar="NAME|FILE", group=DATA, help=source)
    parser.add_option("--data.tasks", nargs="+", metavar="COLUMN", group=DATA, help=TASK_COLUMNS)
    parser.short |= {"data": "data.source", "tasks": "data.tasks"}
    parser.add_fields(
        DataOptions,
        "data",
        lambda name: SPLIT if name.startswith("split") else DATA,
        skip={"source", "tasks"},
        advanced=RARE,
        names={"split": SPLITS.names(), "metric": METRICS.names(), "task": TASKS.names()},
    )


def add_reading(parser: CommandParser, fields: Collection[str], advanced: Collection[str] = ()) -> None:
    """Add some fields of `ReadOptions`, in a section "reading"."""
    load_plugins()
    if "tasks" in fields:
        parser.add_option("--reading.tasks", nargs="+", metavar="COLUMN", group=DATA, help=TASK_COLUMNS)
        parser.short["tasks"] = "reading.tasks"
    parser.add_fields(
        ReadOptions,
        "reading",
        DATA,
        skip={field.name for field in dataclasses.fields(ReadOptions)} - set(fields) | {"tasks"},
        advanced=advanced,
        names={"metric": METRICS.names(), "task": TASKS.names()},
    )
