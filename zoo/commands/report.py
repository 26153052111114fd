"""`molzoo report`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Show what a benchmark gave: one HTML page that needs nothing else, and Markdown with its figures.

examples:
  molzoo report results/smoke.sqlite
  molzoo report benchmarks/results/graphsam.sqlite --output benchmarks/results/graphsam"""


def main(arguments: list[str]) -> None:
    """Write the reports and say where they are."""
    parser = CommandParser(prog="molzoo report", description=DESCRIPTION)
    parser.add_argument("results", help="file that `molzoo benchmark` wrote")
    parser.add_argument(
        "--output", type=str | None, default=None, help="folder; default: beside the results, named after them"
    )
    options = parser.parse_command(arguments)

    from zoo.experiments.report.report import write_report

    for path in write_report(options.results, options.output or Path(options.results).with_suffix("")):
        print(path)
