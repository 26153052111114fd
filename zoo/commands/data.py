"""`molzoo data check FILE`, `molzoo data audit FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser

DESCRIPTION = """Report how a file of molecules is understood: columns, tasks, missing labels, rows that cannot be read,
duplicates and conflicts, scaffolds, split sizes. `molzoo data audit` looks for what would mislead a model: labels that
contradict each other, near-duplicates across parts, activity cliffs, mixed units, salts, alerts. `molzoo data list`
names the data sets that are known.

examples:
  molzoo data check my.csv
  molzoo data check my.csv --smiles-column structure --tasks logS
  molzoo data check tox21 --data-dir moleculenet
  molzoo data audit my.csv --split scaffold --output audit.html
  molzoo data list"""

FIELDS = ("data_dir", "smiles_column", "smiles_columns", "tasks", "feature_columns", "task", "metric", "metric_args",
          "label_names", "split_column", "separator", "encoding", "sheet", "decimal", "max_atoms")  # fmt: skip
AUDIT = "audit"


def main(arguments: list[str]) -> None:
    """Print the report."""
    parser = CommandParser(prog="molzoo data", description=DESCRIPTION)
    parser.add_argument("action", choices=["check", "audit", "list"], help="what to do")
    parser.add_argument("source", nargs="?", help="file, or name of a data set")
    add_reading(parser, FIELDS, advanced=("metric", "metric_args"))
    parser.add_option("--json", action="store_true", help="print JSON")
    parser.add_option("--split", type=str | None, metavar="NAME", group=AUDIT,
                      help="parts to compare; the source's own, or scaffold (many rows: random)")  # fmt: skip
    parser.add_option("--output", type=str | None, metavar="FILE", group=AUDIT,
                      help="page (.html) or .json; NAME.audit.html unless it is named")  # fmt: skip
    options = parser.parse_command(arguments)

    from zoo import data
    from zoo.commands.faults import with_flags

    if options.action == "list":
        print("\n".join(data.list_datasets()))
        return
    if options.source is None:
        raise ValueError(f"molzoo data {options.action} needs a file or the name of a data set")
    given = parser.parse_given(arguments).get("reading", {})
    if options.action == "audit":
        write_audit(options, given)
        return
    report = data.check(options.source, **given)
    print(json.dumps(report.to_dict(), indent=2, default=str) if options.json else with_flags(str(report)))


def write_audit(options: Any, given: dict[str, Any]) -> None:
    """Audit a source, print what was found, and write the page."""
    from zoo.trust import audit

    source = Path(options.source)
    found = audit(options.source, options.split, **given)
    output = found.save(options.output or source.with_name(f"{source.name.split('.')[0]}.audit.html"))
    print(json.dumps(found.to_dict(), indent=2) if options.json else f"{found}\n{output}: all of it, with drawings")
