"""`Sweep`: models x optimizers x data sets x seeds, as a file that a person writes and the runs that it means."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.experiments.sweep.choices import DatasetChoice, ModelChoice, OptimizerChoice, choices
from zoo.experiments.sweep.planned import PlannedRun
from zoo.learners.factory import recipe_for
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import NO_OPTIMIZER
from zoo.recipe.trust import require_trust
from zoo.recipe.yaml_text import parse_mapping


@dataclass(frozen=True)
class Sweep:
    r"""A specification.

    Args:
        name: Of the experiment.
        models: Keys and `ModelChoice`s.
        optimizers: Keys and `OptimizerChoice`s.
        datasets: Keys and `DatasetChoice`s.
        seeds: One run for each; optimizers are compared on equal seeds (split, initial weights, order of the batches).
        split: Name of the split, unless a data set has its own.
        training: Training options of all runs; those of data set, model and optimizer override them in this order.
        reference: Key of the optimizer that the others are compared with.
        eigenvalue_molecules: Training molecules on which the largest eigenvalue of the Hessian is estimated at the end
            of each run; None leaves it out.
        published: Scores from the literature that the report shows next to the results: `source`, `split`, and
            `scores: {model: {dataset: [mean, standard deviation]}}`, a mean alone where its standard deviation is not
            known; `reruns: {model: {dataset: [mean, ...]}}` are those of others with the same model.
        text: The file as it was written.

    Example:
        >>> sweep = Sweep.parse("models: {random_forest: }\ndatasets: {b3db: }\nseeds: [0, 1]")
        >>> [run.label for run in sweep.runs()]
        ['b3db random_forest none seed 0', 'b3db random_forest none seed 1']
    """

    models: Mapping[str, ModelChoice]
    datasets: Mapping[str, DatasetChoice]
    optimizers: Mapping[str, OptimizerChoice] = field(default_factory=dict)
    name: str = "sweep"
    seeds: Sequence[int] = (0,)
    split: str = "scaffold"
    training: Mapping[str, Any] = field(default_factory=dict)
    reference: str = "adam"
    eigenvalue_molecules: int | None = None
    published: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        for part, cls in (("models", ModelChoice), ("optimizers", OptimizerChoice), ("datasets", DatasetChoice)):
            object.__setattr__(self, part, choices(part, cls, getattr(self, part)))
        for part in ("models", "datasets", "seeds"):
            if not getattr(self, part):
                raise ValueError(f"sweep {self.name!r} has no {part}: name at least one")
        for name, model in self.models.items():
            for kind, asked, there in (
                ("optimizer", model.optimizers, self.optimizers),
                ("data set", model.datasets, self.datasets),
            ):
                if unknown := [key for key in asked or () if key not in there]:
                    known = ", ".join(there) or "none"
                    raise ValueError(f"model {name!r} asks for {kind} {unknown[0]!r}; the sweep has {known}")

    @classmethod
    def parse(cls, text: str, name: str = "sweep") -> Sweep:
        """Read a specification from YAML.

        Raises:
            ValueError: No mapping, or one that says nothing to run.
            TypeError: A field that specifications do not have.
        """
        values = parse_mapping(text, name, "a sweep")
        for part in ("models", "datasets"):
            if part not in values:
                raise ValueError(f"{name}: a sweep needs {part}: add a line `{part}:` with their names below it")
        return from_mapping(cls, {"name": name, **values, "text": text})

    @classmethod
    def read(cls, path: str | Path) -> Sweep:
        """Read a specification file."""
        return cls.parse(Path(path).read_text(encoding="utf-8"), Path(path).stem)

    def runs(self, trust: bool = False) -> list[PlannedRun]:
        """All runs, seed by seed, so that the first results cover all parts.

        Args:
            trust: The specification may name classes by `package.module:Class`.

        Raises:
            UntrustedPlace: It does, and `trust` is false.
            UnknownName: A model or optimizer that the catalog does not have.
            TypeError: A training option that does not exist.
        """
        runs = [
            self.plan_run(model, optimizer, dataset, seed)
            for seed in self.seeds
            for dataset in self.datasets
            for model, choice in self.models.items()
            if choice.datasets is None or dataset in choice.datasets
            for optimizer in self.optimizers_of(model)
        ]
        for run in runs:
            require_trust(run.recipe, trust)
        return runs

    def on_datasets(self, runs: list[PlannedRun], datasets: Sequence[str] | None) -> list[PlannedRun]:
        """Return the runs on some data sets, given by their keys; all of them for `None`.

        Raises:
            ValueError: The sweep has no such data set.
        """
        for name in datasets or ():
            if name not in self.datasets:
                known = ", ".join(self.datasets)
                raise ValueError(f"sweep {self.name!r} has no data set {name!r}: choose among {known}")
        return [run for run in runs if datasets is None or run.dataset in datasets]

    def optimizers_of(self, model: str) -> Iterator[str]:
        """Keys of the optimizers that train a model."""
        choice = self.models[model]
        if choice.trains_itself:
            yield NO_OPTIMIZER
            return
        if not self.optimizers:
            raise ValueError(f"sweep {self.name!r}: model {model!r} needs an optimizer: name at least one")
        yield from self.optimizers if choice.optimizers is None else choice.optimizers

    def plan_run(self, model: str, optimizer: str, dataset: str, seed: int) -> PlannedRun:
        """The run of one combination."""
        chosen, source = self.models[model], self.datasets[dataset]
        trainer = self.optimizers.get(optimizer)
        recipe = recipe_for(
            chosen.name,
            trainer.name if trainer else "adam",
            chosen.featurizer,
            model_args=chosen.args,
            optimizer_args={**chosen.optimizer_args, **trainer.args} if trainer else {},
            featurizer_args=chosen.featurizer_args,
            seed=seed,
        )
        training = {**self.training, **source.training, **chosen.training, **(trainer.training if trainer else {})}
        recipe = dataclasses.replace(
            recipe,
            task_args={**source.task_args, **chosen.task_args, **(trainer.task_args if trainer else {})},
            data=from_mapping(DataOptions, {"source": source.name, "split": self.split, **source.options}),
            training=from_mapping(TrainingOptions, training),
        )
        eigenvalue = None if trainer is None else self.eigenvalue_molecules
        return PlannedRun(model, optimizer, dataset, recipe, source.max_molecules, eigenvalue)
