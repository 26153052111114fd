"""`molzoo report`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Show what runs gave: one HTML page that needs nothing else, and Markdown with its figures.

The runs may be those of `molzoo benchmark`, `train` and `tune`, in any mixture.

examples:
  molzoo report results/smoke
  molzoo report runs/a runs/b --output compared
  molzoo report runs
  molzoo report benchmarks/results/graphsam"""


def main(arguments: list[str]) -> None:
    """Write the reports and say where they are."""
    parser = CommandParser(prog="molzoo report", description=DESCRIPTION)
    parser.add_argument("results", nargs="+", help="folder of a sweep, of runs, of one run, or a table runs.csv")
    parser.add_argument(
        "--output", type=str | None, default=None, help="folder; default: the folder of the results, or report"
    )
    options = parser.parse_command(arguments)

    from zoo.experiments.report.report import write_report

    for path in write_report(options.results, options.output or default_folder(options.results)):
        print(path)


def default_folder(results: list[str]) -> Path:
    """Return the folder of the results, where there is one."""
    if len(results) > 1:
        return Path("report")
    return Path(results[0]).parent if Path(results[0]).is_file() else Path(results[0])
