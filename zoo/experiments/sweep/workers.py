"""Running a sweep: processes that claim runs, so that none is done twice and none is lost.

A claim is an operating-system lock on a file (the `filelock` library). The lock goes when its process goes, however
that happens, so that the run of a killed worker is free again at once: no heartbeats, no time-outs, no server. It
holds between processes of one machine and between machines that share a file system with locks (NFS 4, Lustre, GPFS).
A queue in Optuna's storage was the alternative; its grid sampler may hand out the same point twice, and it notices a
dead worker by heartbeats only.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from filelock import FileLock, Timeout

from zoo.experiments.sweep.execute import empty_row, execute
from zoo.experiments.sweep.planned import PlannedRun
from zoo.experiments.sweep.results import FAILED, FINISHED, STARTED, STOPPED, ResultRow, ResultsStore
from zoo.experiments.sweep.specification import Sweep

MOST_DEATHS = 3
Execute = Callable[[PlannedRun], ResultRow]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Tally:
    """Where a sweep stands, counted in runs.

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
    store: ResultsStore,
    *,
    workers: int = 1,
    data_dir: str | None = None,
    device: str = "auto",
    retry_failed: bool = False,
    command: str = "",
    report: Report | None = None,
    trust: bool = False,
) -> Tally:
    r"""Do the runs of a sweep that have no result yet.

    Start it as often as you like, one after another or at once, on one machine or on several that share the store.

    Args:
        sweep: What to run.
        store: Where the rows go.
        workers: Processes, at least 1; 1 works in this process.
        data_dir: Folder of MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        device: As in `zoo.build`.
        retry_failed: Also repeat the runs that failed.
        command: How it was started, for the report.
        report: Called with one line for each run; None prints nothing.
        trust: Import and build what the specification names by `package.module:Class`.

    Example:
        >>> import tempfile, pathlib
        >>> sweep = Sweep.parse("models: [random_forest]\ndatasets: {b3db: {max_molecules: 60}}")
        >>> store = ResultsStore(pathlib.Path(tempfile.mkdtemp()) / "results.sqlite")
        >>> print(run_sweep(sweep, store))
        1 finished, 0 failed, 0 open
    """
    if workers < 1:
        raise ValueError(f"workers={workers}: give a whole number of at least 1")
    runs = sweep.runs(trust)
    store.note_sweep(sweep, runs, command)
    if retry_failed:
        store.reopen_failed(run.key for run in runs)
    do = partial(execute, data_dir=data_dir, device=device, trust=trust)
    if workers == 1:
        work(runs, store, do, report)
    else:
        start_workers(workers, (runs, store, do, report))
    tally = count(runs, store)
    if not tally.open:
        shutil.rmtree(store.claims, ignore_errors=True)
    return tally


def start_workers(workers: int, arguments: tuple) -> None:
    """Work in several processes, each with its share of the cores; returns when all have ended, however."""
    share = str(max(1, (os.cpu_count() or 1) // workers))
    context = multiprocessing.get_context("spawn")
    with threads(share):
        processes = [context.Process(target=work_quietly, args=arguments) for _ in range(workers)]
        for process in processes:
            process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            print(f"a worker ended with status {process.exitcode}; others take up its run", file=sys.stderr)


@contextmanager
def threads(number: str) -> Iterator[None]:
    """Let processes that start here use so many threads, unless the user has said how many."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = before or number
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]


def work_quietly(*arguments) -> None:
    """`work` for a process of its own, which leaves it to its parent to say that it was stopped."""
    try:
        work(*arguments)
    except KeyboardInterrupt:
        sys.exit(0)


def work(runs: Sequence[PlannedRun], store: ResultsStore, do: Execute = execute, report: Report | None = None) -> None:
    """Claim and do one run after another until all have a row.

    Runs that others have claimed are waited for at the end: if such a worker dies, its run is done here.

    Args:
        runs: All runs of the sweep.
        store: Where the rows go.
        do: Does one run.
        report: Called with one line for each run.
    """
    store.claims.mkdir(parents=True, exist_ok=True)
    taken = [run for run in runs if not claim_and_do(run, store, do, report, wait=False)]
    for run in taken:
        claim_and_do(run, store, do, report, wait=True)


def claim_and_do(run: PlannedRun, store: ResultsStore, do: Execute, report: Report | None, wait: bool) -> bool:
    """Do a run unless it has a row; `False` if another worker has it."""
    if run.key in store.states():
        return True
    lock = FileLock(store.claims / f"{run.key}.lock")
    try:
        lock.acquire(blocking=wait, poll_interval=0.5)
    except Timeout:
        return False
    try:
        if run.key not in store.states():
            row = do_claimed(run, store, do)
            store.append(row)
            if report is not None:
                report(f"{run.label}: {told(row)}")
    finally:
        lock.release()
    return True


def do_claimed(run: PlannedRun, store: ResultsStore, do: Execute) -> ResultRow:
    """Do a run that nobody else has; one that has killed its workers before is given up."""
    if store.deaths(run.key) >= MOST_DEATHS:
        reason = f"its worker died {MOST_DEATHS} times (out of memory?)"
        return dataclasses.replace(empty_row(run), reason=reason)
    store.note_event(run.key, STARTED)
    try:
        return do(run)
    except KeyboardInterrupt:
        store.note_event(run.key, STOPPED)
        raise


def told(row: ResultRow) -> str:
    """A row in one line."""
    if row.state == FAILED:
        return f"failed: {row.reason}"
    return f"test {row.metric} {row.test:.4f}, {row.wall_seconds:.1f} s"


def count(runs: Sequence[PlannedRun], store: ResultsStore) -> Tally:
    """Where the runs stand."""
    states = store.states()
    found = Counter(states.get(run.key) for run in runs)
    return Tally(found[FINISHED], found[FAILED], found[None])
