"""Options of data that several commands have, from the dataclasses that hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from zoo.commands.parser import CommandParser
from zoo.recipe.options import DataOptions, ReadOptions
from zoo.registry.catalog import METRICS, SPLITS, TASKS
from zoo.registry.plugins import load_plugins

DATA, SPLIT = "data", "splits"
RARE = frozenset(
    ("metric_args", "label_names", "separator", "encoding", "sheet", "decimal", "on_invalid", "task_kinds")
    + ("measure_bounds", "max_atoms")
)
COLUMNS = {
    "tasks": "label columns, as NAME:KIND where their kinds differ; the data set's own, or all that look like labels",
    "smiles_columns": "columns of several molecules in a row, such as solute solvent",
    "feature_columns": "columns of numbers to read next to the molecules, such as T pH",
}
"""Options that take several columns."""


def add_data_fields(parser: CommandParser, source: str, skip: Collection[str] = ()) -> None:
    """Add the fields of `DataOptions`: `--data`, the options of reading, and those of splits.

    Args:
        parser: Of the command.
        source: What `--data` means there.
        skip: Fields that the command does not have.
    """
    load_plugins()
    parser.add_option("--data.source", type=str | None, metavar="NAME|FILE", group=DATA, help=source)
    parser.short["data"] = "data.source"
    add_columns(parser, "data", COLUMNS)
    parser.add_option(
        "--data.fractions", type=float, nargs=3, metavar="SHARE", group=SPLIT,
        help="shares of train, valid and test, such as 0.7 0.1 0.2",
    )  # fmt: skip
    parser.short["fractions"] = "data.fractions"
    parser.add_fields(
        DataOptions,
        "data",
        lambda name: SPLIT if name.startswith(("split", "test_file")) else DATA,
        skip={"source", "fractions", *COLUMNS, *skip},
        advanced=RARE,
        names={"split": SPLITS.names(), "metric": METRICS.names(), "task": TASKS.names()},
    )


def add_reading(parser: CommandParser, fields: Collection[str], advanced: Collection[str] = ()) -> None:
    """Add some fields of `ReadOptions`, in a section "reading"."""
    load_plugins()
    add_columns(parser, "reading", [name for name in COLUMNS if name in fields])
    parser.add_fields(
        ReadOptions,
        "reading",
        DATA,
        skip={field.name for field in dataclasses.fields(ReadOptions)} - set(fields) | set(COLUMNS),
        advanced=advanced,
        names={"metric": METRICS.names(), "task": TASKS.names()},
    )


def add_columns(parser: CommandParser, section: str, names: Collection[str]) -> None:
    """Add options that take several columns."""
    for name in names:
        parser.add_option(f"--{section}.{name}", nargs="+", metavar="COLUMN", group=DATA, help=COLUMNS[name])
        parser.short[name] = f"{section}.{name}"
