"""`molzoo data check FILE`."""

from __future__ import annotations

import json

from zoo.commands.parser import CommandParser

DESCRIPTION = """Say how a file of molecules is understood: columns, tasks, missing labels, rows that cannot be read,
duplicates and conflicts, scaffolds, split sizes. `molzoo data list` names the data sets that are known.

examples:
  molzoo data check my.csv
  molzoo data check my.csv --smiles-column structure --tasks logS
  molzoo data check tox21 --data-dir moleculenet
  molzoo data list"""


def main(arguments: list[str]) -> None:
    """Print the report."""
    parser = CommandParser(prog="molzoo data", description=DESCRIPTION)
    parser.add_argument("action", choices=["check", "list"], help="what to do")
    parser.add_argument("source", nargs="?", help="file, or name of a data set")
    parser.add_argument("--smiles_column", type=str | None, help="default: found by name")
    parser.add_argument("--tasks", nargs="+", default=None, help="label columns; default: all others")
    parser.add_argument("--task", type=str | None, help="classification or regression; default: by the labels")
    parser.add_argument("--split_column", type=str | None, help="column of the words train, valid, test")
    parser.add_argument("--max_atoms", type=int | None, help="count larger molecules as unreadable")
    parser.add_argument("--separator", type=str | None, help="between the cells of a text file; default: found")
    parser.add_argument("--encoding", type=str | None, help="of a text file; default: found")
    parser.add_argument("--decimal", type=str | None, help="decimal mark of numbers in text; default: found")
    parser.add_argument("--data_dir", type=str | None, help="folder of MoleculeNet's files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_command(arguments)

    from zoo import data

    if options.action == "list":
        print("\n".join(data.list_datasets()))
        return
    if options.source is None:
        raise ValueError("molzoo data check needs a file or the name of a data set")
    given = {name: value for name, value in vars(options).items() if name not in ("action", "source", "json")}
    report = data.check(options.source, **given)
    print(json.dumps(report.to_dict(), indent=2, default=str) if options.json else report)
