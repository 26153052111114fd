"""`molzoo benchmark`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from zoo.commands.parser import CommandParser

DESCRIPTION = """Do all runs of a specification: models x optimizers x data sets x seeds, each in a folder of its own.

The same command started again continues: no finished run is repeated. Started several times at once, also on several
machines that share a file system, the processes share the runs among them. `molzoo report` shows the results.

examples:
  molzoo benchmark benchmarks/smoke.yaml
  molzoo benchmark benchmarks/graphsam.yaml --results benchmarks/results/graphsam
  molzoo benchmark benchmarks/graphsam.yaml --datasets esol bbbp
  molzoo benchmark benchmarks/graphsam.yaml --dry-run"""


def main(arguments: list[str]) -> None:
    """Run the open runs and print the progress of the sweep."""
    parser = CommandParser(prog="molzoo benchmark", description=DESCRIPTION)
    parser.add_argument("specification", help="YAML file; benchmarks/smoke.yaml shows every option")
    parser.add_argument(
        "--results",
        type=str | None,
        default=None,
        help="folder; default: results/NAME after the specification",
    )
    parser.add_argument(
        "--datasets", nargs="+", default=None, metavar="NAME ...", help="do only the runs on these now; default: all"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that share the runs")
    parser.add_argument(
        "--data_dir", type=str | None, default=None, help="folder of MoleculeNet's files; default: MOLZOO_DATA"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, ...")
    parser.add_trust()
    parser.add_argument("--retry_failed", action="store_true", help="also repeat the runs that failed")
    parser.add_argument("--dry_run", action="store_true", help="list the runs without doing them")
    options = parser.parse_command(arguments)

    from zoo.experiments.sweep.results import ResultsFolder
    from zoo.experiments.sweep.specification import Sweep
    from zoo.experiments.sweep.workers import count, run_sweep
    from zoo.runs.names import safe_name

    sweep = Sweep.read(options.specification)
    place = Path(options.results) if options.results else Path("results") / safe_name(sweep.name)
    if place.suffix == ".sqlite":
        place = place.with_suffix("")
        print(f"note: results are folders now: {place}")
    results = ResultsFolder(place)
    if options.dry_run:
        runs = sweep.on_datasets(sweep.runs(options.trust), options.datasets)
        for run in runs:
            print(f"{results.done(run) or results.folder(run).state.name:<9} {run.label}")
        print(count(runs, results))
        return
    tally = run_sweep(
        sweep,
        results,
        workers=options.workers,
        data_dir=options.data_dir,
        device=options.device,
        trust=options.trust,
        datasets=options.datasets,
        retry_failed=options.retry_failed,
        command=repeatable(options),
        report=say,
    )
    print(tally)
    print(f"show the results with: molzoo report {results.path}")
    if tally.open or tally.failed:
        raise SystemExit(1)


def repeatable(options: Any) -> str:
    """Return the command as others can use it: paths of this machine are left out or shortened."""
    specification = Path(options.specification).resolve()
    here = Path.cwd()
    place = specification.relative_to(here) if specification.is_relative_to(here) else Path(specification.name)
    command = ["molzoo", "benchmark", place.as_posix(), "--workers", str(options.workers)]
    command += ["--device", options.device] if options.device != "auto" else []
    command += ["--data-dir", "MOLECULENET"] if options.data_dir else []
    return shlex.join(command)


def say(line: str) -> None:
    """Print a line at once, also where the output is a file."""
    print(line, flush=True)
