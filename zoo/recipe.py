"""`Recipe`: everything that was chosen, as plain data that is stored with every checkpoint and run."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

S = TypeVar("S")


def from_mapping(cls: type[S], values: Mapping[str, Any]) -> S:
    """Fill a dataclass from a mapping.

    Raises:
        TypeError: A field that the dataclass does not have; the message names the closest and all of them.
    """
    names = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            close = difflib.get_close_matches(str(key), names, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{cls.__name__} has no field {key!r}.{guess} Fields: {', '.join(names)}")
    return cls(**values)


@dataclass(frozen=True)
class DataOptions:
    """Where the molecules come from and how they are split.

    Args:
        source: Embedded or MoleculeNet name, or the path of a file.
        data_dir: Folder that holds MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        smiles_column: Column of the SMILES; None finds it.
        tasks: Label columns; None takes the data set's own, or all other columns.
        task: "classification" or "regression"; None decides by the labels.
        metric: What is measured; None takes the data set's own.
        split_column: Column of the words train, valid and test, for `split="column"`.
        separator: Between the cells of a text file; None finds it. Likewise `encoding` and `decimal` (mark).
        max_atoms: Leave molecules with more heavy atoms out; None has no limit.
        on_invalid: "skip" leaves unreadable SMILES out and says so, "raise" stops.
        split: Name of the split.
        split_seed: Seed of the split; None takes the recipe's seed.
    """

    source: str = "b3db"
    data_dir: str | None = None
    smiles_column: str | None = None
    tasks: tuple[str, ...] | None = None
    task: str | None = None
    metric: str | None = None
    split_column: str | None = None
    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    max_atoms: int | None = None
    on_invalid: str = "skip"
    split: str = "scaffold"
    split_seed: int | None = None

    def __post_init__(self) -> None:
        if self.tasks is not None:
            object.__setattr__(self, "tasks", tuple(self.tasks))


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained.

    Args:
        epochs: Passes over the training part, at least 1.
        batch_size: Molecules per step, at least 1.
        schedule: Learning rate over time: "noam" (linear warm-up to the optimizer's rate, then exponential decay) or
            "constant".
        warmup_epochs: Length of the warm-up.
        rate_span: First and last learning rate of "noam" as a fraction of the optimizer's.
        patience: Stop after this many epochs without a better validation metric; None never stops early.
        monitor: Validation metric that decides which epoch is best; None takes the data set's own.
        max_grad_norm: Clip the norm of the updating gradient; None does not clip.
        accumulate: Batches whose gradients are averaged for one step, at least 1.
        precision: "float32", "bfloat16" (autocast) or "float16" (autocast with a gradient scaler).
        skip_first_sync: With several processes, do not synchronise the gradients of perturbing passes (m-sharpness).
        log_every: Steps between two records of the training scalars.
        checkpoint_every: Steps between checkpoints within an epoch; None writes one at the end of each epoch.
        sharpness_every: Epochs between measurements of sharpness (largest Hessian eigenvalue, rise of the loss in SAM's
            ball) for TensorBoard and the terminal; the last epoch is measured too. One takes as long as training on
            several thousand molecules; None measures none.
        num_workers: Processes that featurize; 0 featurizes in this one.
        cache_dir: Folder where featurized molecules are kept; None keeps them in memory.
    """

    epochs: int = 10
    batch_size: int = 32
    schedule: str = "noam"
    warmup_epochs: float = 2.0
    rate_span: float = 0.1
    patience: int | None = None
    monitor: str | None = None
    max_grad_norm: float | None = None
    accumulate: int = 1
    precision: str = "float32"
    skip_first_sync: bool = False
    log_every: int = 10
    checkpoint_every: int | None = None
    sharpness_every: int | None = None
    num_workers: int = 0
    cache_dir: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give a whole number of at least 1")
        for name, unit in (("checkpoint_every", "step"), ("sharpness_every", "epoch")):
            every = getattr(self, name)
            if every is not None and every < 1:
                raise ValueError(f"{name}={every}: give at least 1 {unit}, or leave it out")
        choices = {"schedule": ("noam", "constant"), "precision": ("float32", "bfloat16", "float16")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose one of {', '.join(known)}")


@dataclass(frozen=True)
class Recipe:
    """What `zoo.build` was asked for, and what `fit` did with it.

    Args:
        model: Name of the model, or `"package.module:Class"` of one that is not registered.
        optimizer: The same for the optimizer.
        featurizer: The same for the featurizer.
        num_tasks: T, at least 1.
        task: "classification" or "regression".
        model_args: Options of the model; likewise `optimizer_args`, `featurizer_args`.
        seed: Of the initial weights, the order of the batches, dropout, and the split unless it has its own.
        task_names: Names of the T tasks, once known.
        label_names: For tasks whose classes were words: the words of class 0 and 1.
        target_scaling: Mean and standard deviation of the training targets (regression), once known.
        data: Where the molecules came from, once known.
        training: How the model was trained, once known.

    Example:
        >>> recipe = Recipe("grover", optimizer="graphsam")
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
    """

    model: str
    optimizer: str = "adam"
    featurizer: str = "grover"
    num_tasks: int = 1
    task: str = "classification"
    model_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    featurizer_args: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    task_names: tuple[str, ...] = ()
    label_names: Mapping[str, Any] = field(default_factory=dict)
    target_scaling: Mapping[str, Any] | None = None
    data: DataOptions | None = None
    training: TrainingOptions | None = None

    def __post_init__(self) -> None:
        if self.task not in ("classification", "regression"):
            raise ValueError(f"task={self.task!r}: choose 'classification' or 'regression'")
        if self.num_tasks < 1:
            raise ValueError(f"num_tasks={self.num_tasks}: at least 1")
        object.__setattr__(self, "task_names", tuple(self.task_names))
        for name, cls in (("data", DataOptions), ("training", TrainingOptions)):
            value = getattr(self, name)
            if isinstance(value, Mapping):
                object.__setattr__(self, name, from_mapping(cls, value))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The recipe as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            TypeError: A field that recipes do not have.
        """
        return from_mapping(cls, json.loads(text))

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe file, JSON or YAML."""
        import yaml

        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if not isinstance(values, Mapping):
            raise ValueError(f"{path}: a recipe is a mapping of fields to values, this is {type(values).__name__}")
        return from_mapping(cls, values)
