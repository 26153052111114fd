"""`RunFolder`: the folder of one run, whether `train`, a sweep or a search for hyperparameters wrote it.

It alone knows the names of the files:

| file | holds |
|---|---|
| `recipe.json` | what was asked for |
| `run.json` | state, reason of a failure, times, versions, machine, the run's name in its sweep |
| `run.lock` | the claim of the process that works on the run: an operating-system lock |
| `split.json` | row numbers of the parts, hashes of the data |
| `trained_on.npy` | a key for each molecule of the training part |
| `checkpoints/best`, `checkpoints/last` | weights, and what continues the run |
| `metrics.json`, `history.csv`, `test_metrics.csv`, `test_predictions.csv` | what came out |
| `domain.safetensors` | fingerprints, SMILES and labels of the training part, see `zoo.trust.Domain` |
| `card.html`, `card.md` | the card of the run |
| `ensemble.json`, `out_of_fold.csv` | members below this folder; out-of-fold predictions |
| `learning_curve.png`, `test.png` | pictures |
| `events.out.tfevents.*` | TensorBoard |
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from zoo.data import MoleculeDataset, Split
from zoo.recipe.recipe import Recipe
from zoo.runs import checkpoint, locks
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.continuing import refuse_other_recipe
from zoo.runs.durable import find_link
from zoo.runs.json_files import read_json, write_json, write_text
from zoo.runs.log import RunLog
from zoo.runs.saved_split import SavedSplit, molecule_keys
from zoo.runs.state import FAILED, FINISHED, OPEN, RUNNING, RunState, now, one_line

DOMAIN = "domain.safetensors"


class RunFolder:
    """The files of one run.

    Args:
        path: The folder; nothing is made before something is written.
        writes: `False` for the other processes of a distributed training: they read only.

    Example:
        >>> import tempfile
        >>> RunFolder(tempfile.mkdtemp()).state
        RunState(name='open', reason=None, deaths=0)
    """

    def __init__(self, path: str | Path, writes: bool = True) -> None:
        self.path, self.writes = Path(path), writes
        self.log = RunLog(self.path if writes else None)
        self._lock = FileLock(self.path / "run.lock")
        self._depth, self._since = 0, time.perf_counter()

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r}: {self.state.name})"

    @classmethod
    def of(cls, path: str | Path) -> RunFolder:
        """Find the folder of a run from its own path or from that of one of its checkpoints."""
        path = Path(path).absolute()
        return cls(path.parent.parent if path.parent.name == "checkpoints" else path)

    def checkpoint(self, name: str) -> Path:
        """Return the place of the checkpoint "best" or "last"."""
        return self.checkpoints / name

    @property
    def checkpoints(self) -> Path:
        """Return the folder of the checkpoints."""
        return self.path / "checkpoints"

    def picture(self, name: str) -> Path:
        """Return the place of the picture "learning_curve" or "test"."""
        return self.path / f"{name}.png"

    def card(self, suffix: str) -> Path:
        """Return the place of the card, ".html" or ".md"."""
        return self.path / f"card{suffix}"

    @property
    def holds_run(self) -> bool:
        """Whether something is here that a new run must not mix with: a checkpoint or results."""
        return (self.path / "metrics.json").exists() or any(
            checkpoint.exists(self.checkpoint(name)) for name in ("best", "last")
        )

    @property
    def is_run(self) -> bool:
        """Whether this is the folder of a run, at whatever stage."""
        return self.holds_run or any((self.path / name).exists() for name in ("recipe.json", "run.json"))

    @property
    def recipe(self) -> Recipe | None:
        """Recipe of the run; `None` where no run was started, or its start was cut off."""
        file = self.path / "recipe.json"
        return Recipe.read(file) if file.exists() and file.stat().st_size else None

    @property
    def facts(self) -> dict[str, Any]:
        """Facts that `note` has kept."""
        return read_json(self.path / "run.json") or {}

    def note(self, **facts: Any) -> None:
        """Keep facts about the run, such as its machine, over those of the same name."""
        if self.writes:
            write_json(self.path / "run.json", {**self.facts, **facts})

    @property
    def state(self) -> RunState:
        """State of the run; a run whose process ended without reporting is open."""
        facts = self.facts
        if "state" not in facts:
            return RunState(FINISHED if (self.path / "metrics.json").exists() else OPEN)
        state = RunState(facts["state"], facts.get("reason"), facts.get("deaths", 0))
        if state.name == RUNNING and not (self._lock.is_locked or locks.is_held(self.path / "run.lock")):
            return RunState(OPEN, "its process ended without a word", state.deaths + 1)
        return state

    def set_state(self, name: str, reason: str | None = None, deaths: int | None = None) -> None:
        """Write the state of the run."""
        deaths = self.state.deaths if deaths is None else deaths
        self.note(state=name, reason=reason, deaths=deaths, written=now())

    def claim(self, wait: bool = False, say: Any = None) -> bool:
        """Take the run for this process until `release`; `False` if another process has it and `wait` is false."""
        if self._lock.is_locked:
            return True
        if not locks.take(self._lock, wait, f"the run {self.path}", say):
            return False
        if self.facts.get("state") == RUNNING:  # by a process that is gone, or the lock would not be free
            self.set_state(OPEN, "its process ended without a word", self.state.deaths + 1)
        return True

    def release(self) -> None:
        """Let other processes have the run."""
        self._lock.release()

    def open(self, recipe: Recipe, dataset: MoleculeDataset, parts: Split | None, resume: bool = False) -> None:
        """Start a run here, or go on with the one that is here.

        Args:
            recipe: What was asked for.
            dataset: The run's data.
            parts: How they are cut; `None` trains on everything.
            resume: Go on with the run that is here, if there is one.

        Raises:
            CheckpointError: Another process works on it, it holds a run and `resume` is false, or a run of another
                recipe.
        """
        if not self.writes:
            return
        if not resume:
            self.refuse_second_run()
        link = find_link(self.path)
        if link is not None:
            raise CheckpointError(f"{link} is a link, and a run writes into its own folder only: replace it by a copy")
        if not self.claim():
            raise CheckpointError(f"{self.path} is locked: another process trains there; wait for it, or stop it")
        stored = self.recipe if resume else None
        if stored is None and "state" in self.facts:
            self.log.forget()
        elif stored is not None:
            refuse_other_recipe(stored, recipe, self.path, same_data=self.split is not None)
        write_text(self.path / "recipe.json", recipe.to_json())
        if stored is None or self.split is None:
            write_json(self.path / "split.json", SavedSplit.of(dataset, parts).to_dict())
            np.save(self.path / "trained_on.npy", molecule_keys(dataset if parts is None else parts.train))
        self.set_state(RUNNING)

    def refuse_second_run(self) -> None:
        """Raise a `CheckpointError` if a new run would mix with the one that is here."""
        if self.holds_run:
            raise CheckpointError(f"{self.path} holds a run already: choose another folder, or resume it")

    @contextmanager
    def running(self) -> Iterator[RunFolder]:
        """Note how the work in the block ends, then release the run; inside another such block it does nothing."""
        self._depth += 1
        if self._depth == 1:
            self._since = time.perf_counter()
        try:
            yield self
            self._end(FINISHED)
        except Exception as error:
            self._end(FAILED, one_line(error))
            raise
        except BaseException as error:  # stopped by hand or by a signal
            self._end(OPEN, one_line(error))
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self.log.close()
                self.release()

    def _end(self, state: str, reason: str | None = None) -> None:
        if self._depth == 1 and self._lock.is_locked:
            seconds = time.perf_counter() - self._since + self.facts.get("wall_seconds", 0.0)
            self.set_state(state, reason)
            self.note(wall_seconds=seconds)

    @property
    def split(self) -> SavedSplit | None:
        """The parts of the run; `None` where it has saved none."""
        values = read_json(self.path / "split.json")
        return None if values is None else SavedSplit.from_dict(values)

    @property
    def trained_on(self) -> np.ndarray | None:
        """Keys of the molecules of the training part, see `saved_split.count_known`."""
        file = self.path / "trained_on.npy"
        return np.load(file, allow_pickle=False) if file.exists() else None

    @property
    def metrics(self) -> dict[str, Any]:
        """Results in numbers; empty before the end."""
        return read_json(self.path / "metrics.json") or {}

    def write_metrics(self, values: Mapping[str, Any]) -> None:
        """Write results, over values of the same name."""
        write_json(self.path / "metrics.json", {**self.metrics, **values})

    def write_history(self, history: pd.DataFrame) -> None:
        """Write the table with one row for each epoch."""
        write_text(self.path / "history.csv", history.to_csv(index=False))

    def read_history(self) -> pd.DataFrame:
        """Read the table with one row for each epoch; empty where there is none."""
        file = self.path / "history.csv"
        return pd.read_csv(file) if file.exists() else pd.DataFrame()

    def write_test_metrics(self, table: pd.DataFrame) -> None:
        """Write the metrics of the test part, a row for each metric and task."""
        write_text(self.path / "test_metrics.csv", table.to_csv(index=False))

    def write_test_predictions(self, table: pd.DataFrame) -> None:
        """Write labels and predictions of the test part, a row for each molecule."""
        write_text(self.path / "test_predictions.csv", table.to_csv(index_label="row"))

    def write_out_of_fold(self, table: pd.DataFrame) -> None:
        """Write labels, folds and out-of-fold predictions of all molecules, a row for each."""
        write_text(self.path / "out_of_fold.csv", table.to_csv(index_label="row"))

    def to_dict(self) -> dict[str, Any]:
        """Return state and facts together."""
        return {**self.facts, **dataclasses.asdict(self.state)}
