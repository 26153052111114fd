"""Running a sweep: processes that claim runs, so that none is done twice and none is lost.

A claim is an operating-system lock on a file in the run's folder (the `filelock` library). The lock goes when its
process goes, however that happens, so that the run of a killed worker is free again at once: no heartbeats, no
time-outs, no server. It holds between processes of one machine and between machines that share a file system with
locks (NFS 4, Lustre, GPFS). A queue in Optuna's storage was the alternative; its grid sampler may hand out the same
point twice, and it notices a dead worker by heartbeats only.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from zoo.experiments.sweep.execute import execute
from zoo.experiments.sweep.planned import PlannedRun
from zoo.experiments.sweep.results import ResultsFolder
from zoo.experiments.sweep.specification import Sweep
from zoo.runs.folder import RunFolder
from zoo.runs.lifetime import Stopped, end, end_with_parent, is_suspended, stop_on_signals
from zoo.runs.process import available_cores
from zoo.runs.state import FAILED, FINISHED

MOST_DEATHS = 3
LOOK = 5.0  # seconds between two looks at the workers
Execute = Callable[[Any, RunFolder], None]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Tally:
    """Progress of a sweep, counted in runs.

    Args:
        finished: With a result.
        failed: With a reason instead.
        open: Neither.
    """

    finished: int
    failed: int
    open: int

    def __str__(self) -> str:
        return f"{self.finished} finished, {self.failed} failed, {self.open} open"


def run_sweep(
    sweep: Sweep,
    results: ResultsFolder,
    *,
    workers: int = 1,
    data_dir: str | None = None,
    device: str = "auto",
    retry_failed: bool = False,
    command: str = "",
    report: Report | None = None,
    trust: bool = False,
    datasets: Sequence[str] | None = None,
) -> Tally:
    r"""Do the runs of a sweep that have no result yet.

    Start it as often as you like, one after another or at once, on one machine or on several that share the store.

    Args:
        sweep: What to run.
        results: Where the runs go.
        workers: Processes, at least 1; 1 works in this process.
        data_dir: Folder of MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        device: As in `zoo.build`.
        retry_failed: Also repeat the runs that failed.
        command: How it was started, for the report.
        report: Called with one line for each run; None prints nothing.
        trust: Import and build what the specification names by `package.module:Class`.
        datasets: Keys of the data sets whose runs are done now; None does all.

    Raises:
        ValueError: `workers` is below 1, or the sweep has no such data set.

    Example:
        >>> import tempfile
        >>> sweep = Sweep.parse("models: [random_forest]\ndatasets: {b3db: {max_molecules: 60}}")
        >>> print(run_sweep(sweep, ResultsFolder(tempfile.mkdtemp())))
        1 finished, 0 failed, 0 open
    """
    if workers < 1:
        raise ValueError(f"workers={workers}: give a whole number of at least 1")
    runs = sweep.runs(trust)
    results.note_sweep(sweep, runs, command)
    runs = sweep.on_datasets(runs, datasets)
    if retry_failed:
        results.reopen_failed(runs)
    do = partial(execute, data_dir=data_dir, device=device, trust=trust)
    with stop_on_signals():
        if workers == 1:
            work(runs, results, do, report)
        else:
            start_workers(workers, (runs, results, do, report))
    return count(runs, results)


def start_workers(workers: int, arguments: tuple, threads_each: int | None = None) -> None:
    """Work in several processes, each with its share of the cores; returns when all have ended, however.

    Args:
        workers: Processes.
        arguments: Those of `work`.
        threads_each: Threads of each; None takes its share of the cores.
    """
    share = str(threads_each or max(1, available_cores() // workers))
    context = multiprocessing.get_context("spawn")
    with threads(share):
        processes = [context.Process(target=work_quietly, args=arguments) for _ in range(workers)]
        for process in processes:
            process.start()
    try:
        for process in processes:
            wait_for(process)
            if process.exitcode:
                print(f"a worker ended with status {process.exitcode}; others take up its run", file=sys.stderr)
    finally:
        end(processes)


def wait_for(process: Any) -> None:
    """Wait until a worker has ended; report once if it is suspended and would never end."""
    said = False
    while process.is_alive():
        process.join(LOOK)
        if not said and process.is_alive() and is_suspended(process.pid):
            said = True
            print(f"worker {process.pid} is suspended: let it go on with `kill -CONT {process.pid}`", file=sys.stderr)


@contextmanager
def threads(number: str) -> Iterator[None]:
    """Limit the threads of processes that start here, unless the user has set a number."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = before or number
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]


def work_quietly(*arguments: Any) -> None:
    """Run `work` in a process of its own, whose parent reports that it was stopped."""
    end_with_parent()
    try:
        with stop_on_signals():
            work(*arguments)
    except (KeyboardInterrupt, Stopped):
        sys.exit(0)


class Planned(Protocol):
    """A run that is to be done."""

    @property
    def label(self) -> str:
        """Name for people."""

    def to_plan(self) -> dict[str, Any]:
        """Return what its folder keeps of it."""


class Results(Protocol):
    """Folders of runs, and their state."""

    def folder(self, run: Any) -> RunFolder:
        """Folder of a run."""

    def done(self, run: Any) -> str | None:
        """State of a run that has ended; `None` for others."""


def work(runs: Sequence[Planned], results: Results, do: Execute = execute, report: Report | None = None) -> None:
    """Claim and do one run after another until all have ended.

    Runs that others have claimed are waited for at the end: if such a worker dies, its run is done here.

    Args:
        runs: All runs of the sweep.
        results: Where the runs go.
        do: Does one run in its folder.
        report: Called with one line for each run.
    """
    taken = [run for run in runs if not claim_and_do(run, results, do, report, wait=False)]
    for run in taken:
        claim_and_do(run, results, do, report, wait=True)


def claim_and_do(run: Planned, results: Results, do: Execute, report: Report | None, wait: bool) -> bool:
    """Do a run unless it has ended; `False` if another worker has it."""
    if results.done(run):
        return True
    folder = results.folder(run)
    if not folder.claim(wait, say=report):
        return False
    try:
        if not results.done(run):
            do_claimed(run, folder, do)
            if report is not None:
                report(f"{run.label}: {describe_end(folder)}")
    finally:
        folder.release()
    return True


def do_claimed(run: Planned, folder: RunFolder, do: Execute) -> None:
    """Do a run that nobody else has; one that has killed its workers before is given up."""
    if folder.state.deaths >= MOST_DEATHS:
        folder.note(planned=run.to_plan())
        folder.set_state(FAILED, f"its worker died {MOST_DEATHS} times (out of memory?)")
    else:
        do(run, folder)


def describe_end(folder: RunFolder) -> str:
    """Describe in one line how a run ended."""
    state, found = folder.state, folder.metrics
    if state.name != FINISHED:
        return f"{state.name}: {state.reason}"
    name = found.get("metric")
    score = (found.get("test") or {}).get(name)
    told = "no score" if score is None else f"test {name} {score:.4f}"
    return f"{told}, {folder.facts.get('wall_seconds', 0.0):.1f} s"


def count(runs: Sequence[PlannedRun], results: ResultsFolder) -> Tally:
    """Count the runs by their state."""
    found = Counter(results.done(run) for run in runs)
    return Tally(found[FINISHED], found[FAILED], found[None])
