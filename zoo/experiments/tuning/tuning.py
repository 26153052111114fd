"""Hyperparameters by Optuna, on the validation part alone: the test part is cut off before anything is built."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data import MoleculeDataset, Split, split_by_options
from zoo.experiments.experiment import prepare, run
from zoo.experiments.sweep.execute import load_dataset
from zoo.experiments.tuning.search_space import Range, with_values
from zoo.experiments.tuning.specification import Tuning
from zoo.experiments.tuning.study import import_optuna, open_study
from zoo.learners.factory import with_dataset
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.trust import require_trust
from zoo.runs.folder import RunFolder
from zoo.runs.json_files import write_text
from zoo.runs.lifetime import stop_on_signals
from zoo.runs.state import one_line
from zoo.tasks.evaluation import format_value
from zoo.training.callbacks import Callback
from zoo.training.history import EpochRecord
from zoo.training.loop import TrainingRun
from zoo.training.plan import check_monitor, usual_monitor

if TYPE_CHECKING:
    import optuna


class Pruning(Callback):
    """Reports the validation metric of each epoch to a trial, and stops a trial that falls behind the others.

    Args:
        trial: Of a study.
        metric: What the study improves.
    """

    def __init__(self, trial: optuna.Trial, metric: str) -> None:
        self.trial, self.metric = trial, metric

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Report the metric, and raise `optuna.TrialPruned` where the pruner decides so."""
        import optuna

        score = record.valid.get(self.metric, math.nan) if record.score is None else record.score
        self.trial.report(score, record.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"behind the others after epoch {record.epoch}")


def tune(
    tuning: Tuning,
    journal: str | Path,
    *,
    data_dir: str | None = None,
    device: str = "auto",
    report: Callable[[str], None] | None = None,
    timeout: float | None = None,
    trust: bool = False,
) -> optuna.Study:
    """Search until the study has all its trials.

    Several processes, also on several machines with a shared file system, may call this with the same journal; the
    study goes on where it stopped. A trial that raises an error fails and the search goes on.

    Args:
        tuning: What to search.
        journal: File of Optuna's journal, which is only appended to under a lock; the runs are in `trials` next to it.
        data_dir: Folder of MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        device: As in `zoo.build`.
        report: Called with one line for each trial, and for what a reader must know of the study.
        timeout: Seconds after which no new trial begins; None has no limit.
        trust: Import and build what the specification names by `package.module:Class`.

    Returns:
        The study: `study.best_value`, `study.best_params`, `study.trials`.

    Raises:
        ImportError: Optuna is not installed.
        ValueError: The search names an option that does not exist, or a value that it cannot have; or the time is not
            above 0.
    """
    import_optuna()
    if timeout is not None and not 0 < timeout < math.inf:
        raise ValueError(f"timeout={timeout}: give a number of seconds above 0")
    require_trust(tuning.recipe, trust)
    source = dataclasses.replace(tuning.recipe.data or DataOptions(), data_dir=data_dir or tuning.data.get("data_dir"))
    dataset = load_dataset(source, tuning.max_molecules)
    metric = tuning.training.get("monitor") or usual_monitor(dataset)
    check_monitor(metric, dataset.task)
    recipe = with_dataset(tuning.recipe, dataset)
    check_space(recipe, tuning.space, dataset, trust)
    study = open_study(tuning, journal, metric, report or print_error)
    search = Search(tuning, recipe, dataset, metric, Path(journal).parent / "trials", device, trust)
    first = len(study.get_trials(deepcopy=False))
    if not first and tuning.first_trial:
        study.enqueue_trial(tuning.first_trial, skip_if_exists=True)

    def stop(study: optuna.Study, trial: Any) -> None:
        if trials_left(tuning, study, first) <= 0:
            study.stop()

    if trials_left(tuning, study, first) > 0:
        tell = [] if report is None else [lambda study, trial: report(format_progress(tuning, study, trial))]
        with stop_on_signals():
            study.optimize(
                search, timeout=timeout, callbacks=[*tell, stop], catch=(ValueError, TypeError, RuntimeError)
            )
    return study


def trials_left(tuning: Tuning, study: optuna.Study, first: int) -> int:
    """Trials to do; those that failed before trial number `first`, in an earlier start, are tried again."""
    states = import_optuna().trial.TrialState
    trials = study.get_trials(deepcopy=False)
    ended = [t for t in trials if t.state in (states.COMPLETE, states.PRUNED)]
    failed = [t for t in trials if t.state == states.FAIL and t.number >= first]
    return tuning.trials - len(ended) - len(failed)


@dataclass(frozen=True)
class Search:
    """Objective that Optuna calls for each trial.

    Args:
        tuning: What to search.
        recipe: What stays as it is.
        dataset: The data.
        metric: What the study improves.
        folders: Where the runs of the trials go.
        device: As in `zoo.build`.
        trust: As in `zoo.load`.
    """

    tuning: Tuning
    recipe: Recipe
    dataset: MoleculeDataset
    metric: str
    folders: Path
    device: str = "auto"
    trust: bool = False

    def __call__(self, trial: Any) -> float:
        """Train with each seed; returns the mean of the best validation scores."""
        values = {name: values.suggest(trial, name) for name, values in self.tuning.space.items()}
        recipe = with_values(self.recipe, values)
        try:
            return float(np.mean([self.score(trial, recipe, seed) for seed in self.tuning.seeds]))
        except Exception as error:
            trial.set_user_attr("reason", one_line(error))
            raise

    def score(self, trial: Any, recipe: Recipe, seed: int) -> float:
        """Train with one seed; pruning looks at the first, the others do not start where that falls behind."""
        watching = [Pruning(trial, self.metric)] if seed == self.tuning.seeds[0] else []
        folder = RunFolder(self.folders / f"{self.tuning.digest}-{trial.number:04d}-seed{seed}")
        folder.claim()
        folder.note(planned={"max_molecules": self.tuning.max_molecules})
        chosen = dataclasses.replace(recipe, seed=seed)
        return best_validation(chosen, self.dataset, self.device, watching, self.trust, folder)


def check_space(recipe: Recipe, space: Mapping[str, Range], dataset: MoleculeDataset, trust: bool) -> None:
    """Find options that do not exist, and training options out of their range, before the first trial.

    Raises:
        ValueError: With the option, and the closest one that exists.
    """
    for name, values in space.items():
        section = name.partition(".")[0]
        for value in values.ends():
            try:
                prepare(with_values(recipe, {name: value}), dataset, "cpu", None, trust=trust)
            except TypeError as error:
                raise ValueError(f"search: {name}: {error}") from error
            except ValueError as error:  # values of other sections may fit together with other values only
                if section == "training":
                    raise ValueError(f"search: {name}: {error}") from error
            if section != "training":
                break


def print_error(line: str) -> None:
    """Print a line to standard error."""
    print(line, file=sys.stderr, flush=True)


def best_validation(
    recipe: Recipe,
    dataset: MoleculeDataset,
    device: str,
    callbacks: Sequence[Any],
    trust: bool = False,
    folder: RunFolder | None = None,
) -> float:
    """Best validation score of a training. The learner gets a split without a test part."""
    source, training = recipe.data or DataOptions(), recipe.training or TrainingOptions()
    whole = split_by_options(dataset, source, recipe.seed)
    train, valid, test = whole.indices
    blind = Split(dataset, (train, valid, test[:0]), whole.name, whole.seed)
    outcome = run(
        recipe,
        dataset=dataset,
        split=blind,
        folder=folder,
        progress=False,
        callbacks=callbacks,
        device=device,
        trust=trust,
    )
    history = outcome.history
    wanted = training.monitor or usual_monitor(dataset)
    if history.diverged or history.metric != wanted:
        raise ValueError(history.diverged or f"no trial can be compared by {wanted}: {'; '.join(history.notes)}")
    score = history.best_score
    if score is None or not math.isfinite(score):
        raise ValueError(f"validation {history.metric} is not a number")
    return score


def format_trial(trial: Any) -> str:
    """Format a trial in one line."""
    values = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in trial.params.items()
    )
    value = "" if trial.value is None else f" {format_value(trial.value)}"
    reason = trial.user_attrs.get("reason")
    return f"trial {trial.number}: {trial.state.name.lower()}{value} ({values})" + (f": {reason}" if reason else "")


def format_progress(tuning: Tuning, study: optuna.Study, trial: Any) -> str:
    """Format a trial in one line, after the number of trials that have ended and the best value so far."""
    trials = study.get_trials(deepcopy=False)
    ended = sum(each.state.is_finished() for each in trials)
    best = ""
    if any(each.state.name == "COMPLETE" for each in trials):
        best = f", best {format_value(study.best_value)} of trial {study.best_trial.number}"
    return f"[{ended} of {max(ended, tuning.trials)}{best}] {format_trial(trial)}"


def write_trials(path: Path, study: optuna.Study) -> None:
    """Write all trials as a CSV file, a row for each: its number, state, value, options, time and reason."""
    import pandas as pd

    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "value": trial.value,
            **trial.params,
            "seconds": None if trial.duration is None else trial.duration.total_seconds(),
            "reason": trial.user_attrs.get("reason", ""),
        }
        for trial in study.get_trials(deepcopy=False)
    ]
    write_text(path, pd.DataFrame(rows).to_csv(index=False))


def best_recipe(tuning: Tuning, study: optuna.Study) -> Recipe:
    """The recipe of the best trial, for `molzoo train --recipe`.

    Raises:
        ValueError: No trial has come to its end.
    """
    trials = study.get_trials(deepcopy=False)
    if not any(trial.state.name == "COMPLETE" for trial in trials):
        reasons = Counter(trial.user_attrs.get("reason", "stopped") for trial in trials)
        why = "; ".join(f"{count} of {len(trials)}: {reason}" for reason, count in reasons.most_common(3))
        raise ValueError(f"study {tuning.name!r}: no trial has come to its end ({why})")
    return dataclasses.replace(with_values(tuning.recipe, study.best_params), seed=tuning.seeds[0])
