"""Jobs: uploads that are predicted piece by piece, bounded in number and time."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.serving.child import Child
from zoo.serving.forms import How
from zoo.serving.refusal import Refusal
from zoo.serving.service import PIECE, Service
from zoo.serving.tables import Results
from zoo.serving.work import CloseUpload, OpenUpload, PredictUpload

LOG = logging.getLogger("molzoo.serve")
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
OPEN = (WAITING, RUNNING)
LOOK = 2.0
"""Seconds between looks for jobs that nobody wants any longer."""


@dataclass
class Job:
    """One upload.

    Args:
        upload: The file.
        runs: Runs that predict it.
        asked: What is asked for with the predictions.
        now: Clock.
        id: Random name, which only its sender knows.
        state: "waiting", "running", "done", "failed" or "cancelled".
        total: Rows of the file.
        done: Rows that are predicted.
        failed: Those of them without a prediction.
        error: Why the job failed.
        notes: How the file was understood.
        results: Predictions.
        children: The process of each run that has opened the file.
        touched: When somebody last asked for it.
    """

    upload: OpenUpload
    runs: list[str]
    asked: How
    now: Callable[[], float]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: str = WAITING
    total: int = 0
    done: int = 0
    failed: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    children: dict[str, Child] = field(default_factory=dict)
    touched: float = 0.0

    def __post_init__(self) -> None:
        self.touched = self.now()

    def to_dict(self) -> dict[str, Any]:
        """Return what clients learn."""
        heads = {run: list(parts[0].columns) for run, parts in self.results.tables.items() if parts}
        return {
            "job": self.id,
            "name": self.upload.name,
            "state": self.state,
            "runs": self.runs,
            "total": self.total,
            "done": self.done,
            "failed": self.failed,
            "error": self.error or None,
            "notes": self.notes,
            "given": self.results.columns,
            "columns": heads,
        }


class Jobs:
    """All jobs of a server.

    Args:
        service: Runs that predict.
        now: Clock, in seconds.
    """

    def __init__(self, service: Service, now: Callable[[], float] = time.monotonic) -> None:
        self.service, self.options, self.now = service, service.options, now
        self.jobs: dict[str, Job] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.arriving: set[Path] = set()
        self.folder = Path(tempfile.mkdtemp(prefix="molzoo-serve-"))

    def reserve(self, suffix: str = "") -> Path:
        """Return the place of a new upload; the oldest job that is finished makes room for it.

        The upload counts as a job until `begin` or `release`.

        Raises:
            Refusal: 429 where as many jobs run as may.
        """
        while len(self.jobs) + len(self.arriving) >= self.options.max_jobs:
            ended = [job for job in self.jobs.values() if job.state not in OPEN]
            if not ended:
                raise Refusal(
                    429, f"{self.options.max_jobs} jobs are running, as many as this server takes: ask later", 10
                )
            self.remove(min(ended, key=lambda job: job.touched))
        place = self.folder / f"{secrets.token_hex(8)}{suffix}"
        self.arriving.add(place)
        return place

    def release(self, place: Path) -> None:
        """Forget an upload that did not arrive."""
        self.arriving.discard(place)
        place.unlink(missing_ok=True)

    def begin(self, upload: OpenUpload, runs: list[str], asked: How) -> Job:
        """Begin a job."""
        job = Job(upload, runs, asked, self.now)
        self.jobs[job.id] = job
        self.arriving.discard(Path(upload.path))
        task = asyncio.create_task(self.run(job))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return job

    def find(self, name: str) -> Job:
        """Return a job, which is kept from now on for some minutes.

        Raises:
            Refusal: 404 for one that is not there, or no longer.
        """
        if name not in self.jobs:
            raise Refusal(404, "no such job: finished jobs are kept for some minutes only")
        job = self.jobs[name]
        job.touched = self.now()
        return job

    def remove(self, job: Job) -> None:
        """Cancel a job if it runs, and forget it."""
        if job.state in OPEN:
            self.end(job, CANCELLED)
        self.jobs.pop(job.id, None)

    def end(self, job: Job, state: str, error: str = "") -> None:
        """Note the end of a job."""
        job.state, job.error = state, error
        self.service.metrics.count("molzoo_jobs_total", state=state)

    async def run(self, job: Job) -> None:
        """Predict an upload; its file is removed at the end."""
        try:
            await self._predict(job)
        except Refusal as refusal:
            if job.state in OPEN:
                self.end(job, FAILED, str(refusal.detail))
        except Exception:
            LOG.exception("a job failed")
            if job.state in OPEN:
                self.end(job, FAILED, "the server failed at this; its log has the reason")
        finally:
            Path(job.upload.path).unlink(missing_ok=True)
            for child in job.children.values():
                if child.ready:
                    with suppress(Refusal):
                        await child.ask(CloseUpload(job.upload.path))

    async def _predict(self, job: Job) -> None:
        service = self.service
        hows = {run: service.how(run, job.asked) for run in job.runs}
        job.children = {run: service.runs[run].pick() for run in job.runs}
        opened = [await child.ask(job.upload) for child in job.children.values()]
        if job.state == WAITING:
            job.state, job.total = RUNNING, opened[0]["rows"]
            job.results.columns = opened[0]["columns"]
            job.notes = list(dict.fromkeys(note for each in opened for note in each["notes"]))
        while job.state == RUNNING and job.done < job.total:
            start, stop = job.done, min(job.done + PIECE, job.total)
            questions = {run: PredictUpload(job.upload, start, stop, hows[run]) for run in job.runs}
            found = await asyncio.gather(
                *(service.measure(run, each, stop - start, job.children[run]) for run, each in questions.items())
            )
            if job.state != RUNNING:
                return
            rows, molecules, _ = found[0]
            tables = {run: table for run, (_, _, table) in zip(job.runs, found, strict=True)}
            for run, table in tables.items():
                service.metrics.count("molzoo_rows_failed_total", int((table["reason"] != "").sum()), run=run)
            job.failed += job.results.add(rows, molecules, tables)
            job.done = stop
        if job.state == RUNNING:
            self.end(job, DONE)

    async def look_after(self) -> None:
        """Cancel jobs that nobody asks about, and forget old ones, for ever."""
        while True:
            await asyncio.sleep(LOOK)
            self.tidy()

    def tidy(self) -> None:
        """Cancel jobs that nobody has asked about for `patience`, and forget those that ended `keep_minutes` ago."""
        for job in list(self.jobs.values()):
            idle = self.now() - job.touched
            if job.state in OPEN and idle > self.options.patience:
                self.end(job, CANCELLED, "nobody asked about it any longer")
            elif job.state not in OPEN and idle > 60 * self.options.keep_minutes:
                self.remove(job)

    async def stop(self) -> None:
        """Cancel everything, and remove the uploads."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        shutil.rmtree(self.folder, ignore_errors=True)
