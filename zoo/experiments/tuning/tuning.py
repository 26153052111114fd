"""Hyperparameters by Optuna, on the validation part alone: the test part is cut off before anything is built."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data import MoleculeDataset, Split, split_as_asked
from zoo.experiments.sweep.execute import load_dataset
from zoo.experiments.tuning.search_space import Range, parse_space, with_values
from zoo.learners.factory import assemble, recipe_for, with_dataset
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.trust import require_trust
from zoo.registry.kinds import check_metric, higher_is_better
from zoo.tasks import format_value
from zoo.training.callbacks import Callback
from zoo.training.history import EpochRecord
from zoo.training.loop import TrainingRun

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Tuning:
    """A specification of a search.

    Args:
        search: Options and their ranges, see `search_space.parse_space`.
        name: Of the study.
        model: Catalog name; likewise `optimizer` and `featurizer` (None takes the model's own).
        optimizer: See `model`.
        featurizer: See `model`.
        model_args: Options that stay as they are; likewise `optimizer_args` and `featurizer_args`.
        optimizer_args: See `model_args`.
        featurizer_args: See `model_args`.
        data: Fields of `zoo.recipe.recipe.DataOptions`.
        training: Fields of `zoo.recipe.TrainingOptions`.
        max_molecules: Draw this many molecules; None takes all.
        seeds: Every trial is trained with each; its value is the mean of their best validation metrics.
        trials: How many in all, over all processes and starts.
        startup_trials: Drawn at random and never pruned, before Optuna's sampler learns from them.

    Example:
        >>> tuning = Tuning.parse("search: {optimizer_args.lr: {low: 0.0001, high: 0.01, log: true}}")
        >>> tuning.recipe.model, tuning.space["optimizer_args.lr"].log
        ('grover', True)
    """

    search: Mapping[str, Any]
    name: str = "tuning"
    model: str = "grover"
    optimizer: str = "graphsam"
    featurizer: str | None = None
    model_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    max_molecules: int | None = None
    seeds: Sequence[int] = (0,)
    trials: int = 30
    startup_trials: int = 5

    def __post_init__(self) -> None:
        for name in ("trials", "startup_trials"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give a whole number of at least 1")
        if not self.seeds:
            raise ValueError("seeds: name at least one")

    @classmethod
    def parse(cls, text: str, name: str = "tuning") -> Tuning:
        """Read a specification from YAML.

        Raises:
            ValueError: No mapping, or one without `search`.
            TypeError: A field that specifications do not have.
        """
        import yaml

        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"{name}: not YAML: {error}") from error
        if not isinstance(values, Mapping) or "search" not in values:
            raise ValueError(f"{name}: a tuning is a mapping with `search:` and the options to search below it")
        return from_mapping(cls, {"name": name, **values})

    @classmethod
    def read(cls, path: str | Path) -> Tuning:
        """Read a specification file."""
        return cls.parse(Path(path).read_text(encoding="utf-8"), Path(path).stem)

    @cached_property
    def space(self) -> dict[str, Range]:
        """The ranges."""
        return parse_space(self.search)

    @cached_property
    def recipe(self) -> Recipe:
        """What stays as it is."""
        recipe = recipe_for(
            self.model,
            self.optimizer,
            self.featurizer,
            model_args=self.model_args,
            optimizer_args=self.optimizer_args,
            featurizer_args=self.featurizer_args,
        )
        data, training = from_mapping(DataOptions, self.data), from_mapping(TrainingOptions, self.training)
        return dataclasses.replace(recipe, data=data, training=training)


class Pruning(Callback):
    """Reports the validation metric of each epoch to a trial, and stops a trial that falls behind the others.

    Args:
        trial: Of a study.
        metric: What the study improves.
    """

    def __init__(self, trial: optuna.Trial, metric: str) -> None:
        self.trial, self.metric = trial, metric

    def on_epoch_end(self, run: TrainingRun, record: EpochRecord) -> None:
        """Report, and raise `optuna.TrialPruned` where the pruner says so."""
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
    trust: bool = False,
) -> optuna.Study:
    """Search until the study has all its trials.

    Several processes, also on several machines with a shared file system, may call this with the same journal; the
    study goes on where it stopped. A trial that raises an error fails and the search goes on.

    Args:
        tuning: What to search.
        journal: File of Optuna's journal, which is only appended to under a lock.
        data_dir: Folder of MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        device: As in `zoo.build`.
        report: Called with one line for each trial.
        trust: Import and build what the specification names by `package.module:Class`.

    Returns:
        The study: `study.best_value`, `study.best_params`, `study.trials`.

    Raises:
        ImportError: Optuna is not installed.
    """
    optuna = import_optuna()
    require_trust(tuning.recipe, trust)
    source = dataclasses.replace(tuning.recipe.data or DataOptions(), data_dir=data_dir or tuning.data.get("data_dir"))
    dataset = load_dataset(source, tuning.max_molecules)
    metric = tuning.training.get("metric") or dataset.metric
    check_metric(metric, dataset.task)
    recipe, space = with_dataset(tuning.recipe, dataset), tuning.space
    study = open_study(tuning, journal, metric)

    def objective(trial: Any) -> float:
        values = {name: space[name].suggest(trial, name) for name in space}
        pruning = Pruning(trial, metric)
        scores: list[float] = []
        for seed in tuning.seeds:  # pruning looks at the first seed; the others do not start where that falls behind
            chosen = dataclasses.replace(with_values(recipe, values), seed=seed)
            scores.append(best_validation(chosen, dataset, device, [] if scores else [pruning], trust))
        return float(np.mean(scores))

    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED, optuna.trial.TrialState.FAIL)
    limit = optuna.study.MaxTrialsCallback(tuning.trials, states=ended)
    if len(study.get_trials(deepcopy=False, states=ended)) < tuning.trials:
        tell = [] if report is None else [lambda study, trial: report(told(trial))]
        study.optimize(objective, callbacks=[*tell, limit], catch=(ValueError, TypeError, RuntimeError))
    return study


def open_study(tuning: Tuning, journal: str | Path, metric: str) -> optuna.Study:
    """The study in a journal, new or as others left it."""
    optuna = import_optuna()
    Path(journal).parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal))),
        study_name=tuning.name,
        direction="maximize" if higher_is_better(metric) else "minimize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=tuning.startup_trials, multivariate=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=tuning.startup_trials, n_warmup_steps=1),
        load_if_exists=True,
    )


def import_optuna() -> Any:
    """Optuna, quiet; it is an extra, because only `tune` needs it.

    Raises:
        ImportError: With the remedy.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError("tuning needs Optuna: pip install 'molzoo[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def best_validation(
    recipe: Recipe, dataset: MoleculeDataset, device: str, callbacks: Sequence[Any], trust: bool = False
) -> float:
    """Best validation metric of a training. The learner gets a split without a test part."""
    source, training = recipe.data or DataOptions(), recipe.training or TrainingOptions()
    whole = split_as_asked(dataset, source, recipe.seed)
    train, valid, test = whole.indices
    blind = Split(dataset, (train, valid, test[:0]), whole.name, whole.seed)
    learner = assemble(recipe, device=device, trust=trust)
    history = learner.fit(dataset, split=blind, progress=False, callbacks=callbacks, **dataclasses.asdict(training))
    wanted = training.monitor or dataset.metric
    if history.diverged or history.metric != wanted:
        raise ValueError(history.diverged or f"no trial can be compared by {wanted}: {'; '.join(history.notes)}")
    score = history.best_score
    if score is None or not math.isfinite(score):
        raise ValueError(f"validation {history.metric} is not a number")
    return score


def told(trial: Any) -> str:
    """A trial in one line."""
    values = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in trial.params.items()
    )
    value = "" if trial.value is None else f" {format_value(trial.value)}"
    return f"trial {trial.number}: {trial.state.name.lower()}{value} ({values})"


def best_recipe(tuning: Tuning, study: optuna.Study) -> Recipe:
    """The recipe of the best trial, for `molzoo train --recipe`.

    Raises:
        ValueError: No trial has come to its end.
    """
    if not any(trial.state.name == "COMPLETE" for trial in study.get_trials(deepcopy=False)):
        raise ValueError(
            f"study {tuning.name!r}: no trial has come to its end, see its reasons with MOLZOO_TRACEBACK=1"
        )
    return dataclasses.replace(with_values(tuning.recipe, study.best_params), seed=tuning.seeds[0])
