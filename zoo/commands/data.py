"""`molzoo data check FILE`."""

from __future__ import annotations

import json

from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser

DESCRIPTION = """Report how a file of molecules is understood: columns, tasks, missing labels, rows that cannot be read,
duplicates and conflicts, scaffolds, split sizes. `molzoo data list` names the data sets that are known.

examples:
  molzoo data check my.csv
  molzoo data check my.csv --smiles-column structure --tasks logS
  molzoo data check tox21 --data-dir moleculenet
  molzoo data list"""

FIELDS = ("data_dir", "smiles_column", "smiles_columns", "tasks", "feature_columns", "task", "metric", "metric_args",
          "label_names", "split_column", "separator", "encoding", "sheet", "decimal", "max_atoms")  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print the report."""
    parser = CommandParser(prog="molzoo data", description=DESCRIPTION)
    parser.add_argument("action", choices=["check", "list"], help="what to do")
    parser.add_argument("source", nargs="?", help="file, or name of a data set")
    add_reading(parser, FIELDS, advanced=("metric", "metric_args"))
    parser.add_option("--json", action="store_true", help="print JSON")
    options = parser.parse_command(arguments)

    from zoo import data

    if options.action == "list":
        print("\n".join(data.list_datasets()))
        return
    if options.source is None:
        raise ValueError("molzoo data check needs a file or the name of a data set")
    given = parser.parse_given(arguments).get("reading", {})
    report = data.check(options.source, **given)
    print(json.dumps(report.to_dict(), indent=2, default=str) if options.json else report)
