"""Optuna's study in its journal: opened, repaired, and drawn from reproducibly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.experiments.tuning.specification import Tuning
from zoo.registry.kinds import higher_is_better
from zoo.tasks.metrics import LOSS

if TYPE_CHECKING:
    import optuna


def import_optuna() -> Any:
    """Import Optuna, quiet; it is an extra, because only `tune` needs it.

    Raises:
        ImportError: With the remedy.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError("tuning needs Optuna: pip install 'molzoo[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def open_study(tuning: Tuning, journal: str | Path, metric: str, say: Callable[[str], None]) -> optuna.Study:
    """Open the study in a journal, new or as others left it.

    Trials of another specification in the same journal are left alone: they searched something else.
    """
    optuna = import_optuna()
    path = Path(journal)
    path.parent.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal
    if path.exists():
        repair(path, backend.JournalFileSymlinkLock(str(path)), say)
    storage = optuna.storages.JournalStorage(backend.JournalFileBackend(str(path)))
    name = f"{tuning.name} {tuning.digest}"
    others = [each for each in optuna.get_all_study_names(storage) if each != name]
    if others and name not in optuna.get_all_study_names(storage):
        say(f"the specification has changed since {path} was written: a new search begins, its trials stay there")
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize" if metric != LOSS and higher_is_better(metric) else "minimize",
        sampler=sampler(tuning),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=tuning.startup_trials, n_warmup_steps=1),
        load_if_exists=True,
    )


def sampler(tuning: Tuning) -> Any:
    """Return a sampler whose draws follow from the seed and the number of the trial.

    Processes that share a study thus draw different trials, and one process the same ones again.
    """
    optuna = import_optuna()
    base: Any = optuna.samplers.BaseSampler

    class BySeedAndTrial(base):
        def __init__(self) -> None:
            self.number, self.inner = -1, self.make(0)

        def make(self, number: int) -> Any:
            seed = int(np.random.SeedSequence([tuning.sampler_seed, number]).generate_state(1)[0])
            return optuna.samplers.TPESampler(n_startup_trials=tuning.startup_trials, multivariate=True, seed=seed)

        def of(self, trial: Any) -> Any:
            if trial.number != self.number:
                self.number, self.inner = trial.number, self.make(trial.number)
            return self.inner

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            return self.of(trial).infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            return self.of(trial).sample_relative(study, trial, search_space)

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return self.of(trial).sample_independent(study, trial, param_name, param_distribution)

        def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
            self.of(trial).after_trial(study, trial, state, values)

    return BySeedAndTrial()


def repair(path: Path, lock: Any, say: Callable[[str], None]) -> None:
    """Cut what a full disk or a killed process has left of a line in the journal, and say so.

    Where others have written behind half a line, their entry is kept.
    """
    lock.acquire()
    try:
        text = path.read_bytes()
        entries = [entry for line in text.split(b"\n") if (entry := whole_entry(line))]
        mended = b"".join(entry + b"\n" for entry in entries)
        if mended != text:
            new = path.with_name(f"{path.name}.mended")
            new.write_bytes(mended)
            new.replace(path)
            cut = len(text) - len(mended)
            say(f"{path}: {cut} bytes of damaged lines were cut (a full disk?); the trials in them are done again")
    finally:
        lock.release()


def whole_entry(line: bytes) -> bytes:
    """Return the entry of a line, or the one that was written behind half another; nothing where there is none."""
    start = 0
    while start >= 0:
        try:
            return line[start:] if isinstance(json.loads(line[start:]), dict) else b""
        except ValueError:
            start = line.find(b'{"op_code"', start + 1)
    return b""
