"""`Service`: runs in their processes, the process that draws, and what is asked of them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from zoo.registry.catalog.estimators import ESTIMATORS
from zoo.registry.catalog.explainers import EXPLAINERS
from zoo.registry.registry import Registry
from zoo.runs.process import available_cores
from zoo.serving.child import Child
from zoo.serving.crew import Crew
from zoo.serving.forms import How
from zoo.serving.metrics import Metrics, resident_bytes
from zoo.serving.options import ServeOptions
from zoo.serving.refusal import Refusal
from zoo.serving.work import Describe, PredictMolecules, RunStart, SketchStart

MOST_PROCESSES = 4
PIECE = 1000
"""Rows that a run predicts before it turns to another request."""


class Service:
    """Everything that a server answers with.

    Args:
        places: Folders of runs, checkpoints or ensembles.
        options: See `ServeOptions`.

    Attributes:
        facts: What the runs are, by name, once they are loaded; see `Served.describe`.

    Raises:
        ValueError: No run.
    """

    def __init__(self, places: Sequence[str | Path], options: ServeOptions) -> None:
        if not places:
            raise ValueError("name at least one run to serve")
        self.options, self.metrics = options, Metrics()
        self.places = dict(zip(name_runs(places), map(str, places), strict=True))
        self.runs = {name: self.make_crew(name, place) for name, place in self.places.items()}
        self.sketcher = Crew([Child("the drawing of molecules", SketchStart(), min(options.seconds, 30))])
        self.facts: dict[str, dict[str, Any]] = {}

    def make_crew(self, name: str, place: str) -> Crew:
        """Make the processes of a run, which do not run yet."""
        options = self.options
        processes = options.processes or processes_for(len(self.places), options.device)
        threads = threads_for(len(self.places) * processes)
        begin = RunStart(place, name, options.device, options.trust, options.batch_size, threads, options.max_atoms)
        return Crew([Child(name, begin, options.seconds) for _ in range(processes)])

    @property
    def crews(self) -> dict[str, Crew]:
        """All processes, by what they do."""
        return {**self.runs, "sketcher": self.sketcher}

    @property
    def ready(self) -> bool:
        """Whether all runs are loaded."""
        return len(self.facts) == len(self.runs) and all(crew.ready for crew in self.runs.values())

    async def start(self) -> None:
        """Start the processes, and wait until all have loaded; those that run already stay.

        Raises:
            ValueError: One cannot load, in one line.
        """
        try:
            await asyncio.gather(*(crew.start() for crew in self.crews.values()))
            for name, crew in self.runs.items():
                if name not in self.facts:
                    self.facts[name] = await crew.ask(Describe())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(*(crew.stop() for crew in self.crews.values()))

    def choose(self, names: Sequence[str] | None) -> list[str]:
        """Return names of runs, all where none is named.

        Raises:
            Refusal: 404 for an unknown one.
        """
        for name in names or ():
            if name not in self.runs:
                raise Refusal(404, f"no run {name[:60]!r} here{closest(name, list(self.runs))}")
        return list(dict.fromkeys(names)) if names else list(self.runs)

    def how(self, run: str, asked: How) -> dict[str, Any]:
        """Return arguments of `Predictor.predictions`: what was asked for and the run has.

        Raises:
            Refusal: 404 for an estimator that does not exist.
        """
        facts, found = self.facts[run], dict[str, Any]()
        if facts["domain"] and (asked.domain or asked.neighbors):
            found |= {"domain": True, "neighbors": asked.neighbors}
        if asked.uncertainty is not None:
            known(ESTIMATORS, asked.uncertainty)
            found |= {"uncertainty": asked.uncertainty} if asked.uncertainty in facts["uncertainty"] else {}
        if asked.coverage is not None and facts["intervals"]:
            found |= {"coverage": asked.coverage}
        return found

    async def predict(self, run: str, molecules: Sequence[Any], features: Mapping[str, Sequence[Any]], how: Any) -> Any:
        """Predict at most `PIECE` molecules with a run, and count them; see `PredictMolecules`."""
        return await self.measure(run, PredictMolecules(molecules, features, how), len(molecules))

    async def measure(self, run: str, question: Any, rows: int, child: Child | None = None) -> Any:
        """Ask a run for predictions, or one of its processes, and count rows and seconds."""
        begin = time.perf_counter()
        try:
            return await (child or self.runs[run]).ask(question)
        finally:
            self.metrics.count("molzoo_rows_total", rows, run=run)
            self.metrics.count("molzoo_prediction_seconds_total", time.perf_counter() - begin, run=run)

    def gauges(self) -> dict[str, float]:
        """Return numbers of the moment for metrics."""
        found = {"molzoo_ready": float(self.ready)}
        for name, crew in self.crews.items():
            label = f'{{process="{name}"}}'
            found[f"molzoo_waiting{label}"] = crew.waiting
            found[f"molzoo_restarts{label}"] = crew.restarts
            found[f"molzoo_process_resident_bytes{label}"] = sum(map(resident_bytes, crew.pids))
        return found


def processes_for(runs: int, device: str) -> int:
    """Return how many processes each run has: one for each core that it may have, at most 4; one on a GPU."""
    alone = device.startswith("cuda") or (device == "auto" and Path("/proc/driver/nvidia/version").exists())
    return 1 if alone else min(max(available_cores() // runs, 1), MOST_PROCESSES)


def threads_for(processes: int) -> int:
    """Return torch's threads in each process: they share the cores; OMP_NUM_THREADS bounds them."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    share = max(available_cores() // processes, 1)
    return min(share, max(int(asked), 1)) if asked.isdecimal() else share


def name_runs(places: Sequence[str | Path]) -> list[str]:
    """Return a name for each place: that of its folder, with a number where two have the same.

    Example:
        >>> name_runs(["runs/gcn", "other/gcn", "runs/gin/checkpoints/best"])
        ['gcn', 'gcn-2', 'gin']
    """
    names: list[str] = []
    for place in places:
        folder = Path(place).absolute()
        folder = folder.parent.parent if folder.parent.name == "checkpoints" else folder
        plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in folder.name)
        plain = plain.strip("-._") or "run"
        number = 1 + sum(name == plain or name.rpartition("-")[0] == plain for name in names)
        names.append(plain if plain not in names else f"{plain}-{number}")
    return names


def known(registry: Registry[Any], name: str) -> None:
    """Refuse a name that a registry does not have."""
    if name not in registry.names():
        raise Refusal(404, f"no {registry.kind} {name[:60]!r}{closest(name, registry.names())}")


def known_explainer(name: str | None) -> None:
    """Refuse a method of attribution that does not exist."""
    if name is not None:
        known(EXPLAINERS, name)


def closest(name: str, names: Sequence[str]) -> str:
    """Return the end of a message: the closest match, and all names."""
    guess = get_close_matches(name, names, n=1)
    return (f"; did you mean {guess[0]!r}?" if guess else ":") + f" there are {', '.join(names)}"
