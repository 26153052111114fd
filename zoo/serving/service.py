"""`Service`: runs in their processes, the process that draws, and what is asked of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from zoo.registry.catalog.estimators import ESTIMATORS
from zoo.registry.catalog.explainers import EXPLAINERS
from zoo.registry.registry import Registry
from zoo.runs.folder import RunFolder
from zoo.runs.process import available_cores
from zoo.serving.child import Child
from zoo.serving.forms import How
from zoo.serving.metrics import Metrics, resident_bytes
from zoo.serving.options import ServeOptions
from zoo.serving.refusal import Refusal
from zoo.serving.work import Describe, PredictMolecules, RunStart, SketchStart

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
        threads = max(available_cores() // len(self.places), 1)
        self.runs = {
            name: Child(
                name,
                RunStart(place, name, options.device, options.trust, options.batch_size, threads, options.max_atoms),
                options.seconds,
            )
            for name, place in self.places.items()
        }
        self.sketcher = Child("the drawing of molecules", SketchStart(), min(options.seconds, 30))
        self.facts: dict[str, dict[str, Any]] = {}

    @property
    def children(self) -> Iterator[Child]:
        """All processes."""
        yield from self.runs.values()
        yield self.sketcher

    @property
    def ready(self) -> bool:
        """Whether all runs are loaded."""
        return len(self.facts) == len(self.runs) and all(child.ready for child in self.runs.values())

    async def start(self) -> None:
        """Start the processes, and wait until all have loaded; those that run already stay.

        Raises:
            ValueError: One cannot load, in one line.
        """
        try:
            await asyncio.gather(*(child.start() for child in self.children if not child.ready))
            for name, child in self.runs.items():
                if name not in self.facts:
                    self.facts[name] = await child.ask(Describe())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(*(child.stop() for child in self.children))

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

    async def measure(self, run: str, question: Any, rows: int) -> Any:
        """Ask a run for predictions, and count rows and seconds."""
        begin = time.perf_counter()
        try:
            return await self.runs[run].ask(question)
        finally:
            self.metrics.count("molzoo_rows_total", rows, run=run)
            self.metrics.count("molzoo_prediction_seconds_total", time.perf_counter() - begin, run=run)

    def card(self, run: str) -> Path | None:
        """Return the file with the card of a run, None where there is none."""
        file = RunFolder.of(self.places[run]).card(".html")
        return file if file.is_file() else None

    def gauges(self) -> dict[str, float]:
        """Return numbers of the moment for metrics."""
        found = {"molzoo_ready": float(self.ready)}
        for name, child in [*self.runs.items(), ("sketcher", self.sketcher)]:
            label = f'{{process="{name}"}}'
            found[f"molzoo_waiting{label}"] = child.waiting
            found[f"molzoo_restarts{label}"] = child.restarts
            found[f"molzoo_process_resident_bytes{label}"] = resident_bytes(child.pid) if child.pid else 0
        return found


def name_runs(places: Sequence[str | Path]) -> list[str]:
    """Return a name for each place: that of its folder, with a number where two have the same.

    Example:
        >>> name_runs(["runs/gcn", "other/gcn", "runs/gin/checkpoints/best"])
        ['gcn', 'gcn-2', 'gin']
    """
    names: list[str] = []
    for place in places:
        plain = "".join(
            letter if letter.isalnum() or letter in "._-" else "-" for letter in RunFolder.of(place).path.name
        )
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
