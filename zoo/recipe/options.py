"""Options of data and training, as plain data."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import TypedDict

from zoo.recipe.mapping import from_mapping
from zoo.recipe.task_kinds import name_with_kind, split_kinds
from zoo.registry.catalog.targets import THRESHOLD_METRICS


class ReadKeywords(TypedDict, total=False):
    """The fields of `ReadOptions` as keyword arguments, in the looser types that functions accept."""

    data_dir: str | os.PathLike[str] | None
    smiles_column: str | None
    tasks: str | Sequence[str] | Mapping[str, str] | None
    task_kinds: Mapping[str, str] | None
    smiles_columns: str | Sequence[str] | None
    feature_columns: str | Sequence[str] | None
    weight_column: str | None
    task: str | None
    metric: str | None
    metric_args: Mapping[str, Any]
    measure_bounds: bool
    label_names: Mapping[str, Sequence[str | float]] | None
    split_column: str | None
    separator: str | None
    encoding: str | None
    sheet: str | None
    decimal: str | None
    max_atoms: int | None
    on_invalid: str


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Options for reading a source of molecules and labels.

    Args:
        data_dir: Folder that holds MoleculeNet's files; None looks at `MOLZOO_DATA`, then downloads.
        smiles_column: Column of the SMILES; None finds it.
        tasks: Label columns; None takes the data set's own, or finds them; an empty list reads no labels. Columns of
            several kinds are learned together where their kinds are named, {"active": "binary", "logS": "regression"}
            or ["active:binary", "logS:regression"].
        task_kinds: Kinds of single label columns, by name; what `tasks` names goes here.
        smiles_columns: Columns of several molecules in a row, such as ["solute", "solvent"]: the model reads all of
            them; splits by scaffold look at the first.
        feature_columns: Columns of numbers that the model reads next to the molecule, such as ["T", "pH"]; scaled by
            the training part, and needed again for predictions.
        weight_column: Column of the weights that molecules have in the loss; metrics ignore them; None has none.
        task: Kind of target, such as "classification" or "regression"; None decides by the labels.
        metric: What is measured, such as "roc_auc" or "mae"; None takes the data set's own.
        metric_args: Arguments of the metric, such as {"threshold": 0.3}.
        measure_bounds: Also measure labels that are bounds, such as >4.5: a prediction that keeps one has no error, and
            that of any other is its distance. Without, metrics take exact labels only.
        label_names: Words of the classes by task, class 0 first, such as {"active": ["no", "yes"]}; None orders them.
        split_column: Column of the words train, valid and test; it is the split unless another one is named.
        separator: Character between the cells of a text file; None finds it.
        encoding: Encoding of a text file; None finds it.
        sheet: Sheet of an Excel workbook; None takes the first one.
        decimal: Decimal mark of numbers in text, "." or ","; None finds it.
        max_atoms: Largest number of heavy atoms; larger molecules count as invalid. None has no limit.
        on_invalid: What happens to SMILES that cannot be read: "skip" leaves them out and lists them, "raise" refuses
            the source, "nan" keeps them without labels.
    """

    data_dir: str | None = None
    smiles_column: str | None = None
    tasks: tuple[str, ...] | None = None
    task_kinds: dict[str, str] | None = field(default=None, hash=False)
    smiles_columns: tuple[str, ...] | None = None
    feature_columns: tuple[str, ...] | None = None
    weight_column: str | None = None
    task: str | None = None
    metric: str | None = None
    metric_args: dict[str, Any] = field(default_factory=dict, hash=False)
    measure_bounds: bool = False
    label_names: dict[str, tuple[str | float, ...]] | None = field(default=None, hash=False)
    split_column: str | None = None
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    max_atoms: int | None = None
    on_invalid: str = "skip"

    def __post_init__(self) -> None:
        if self.data_dir is not None:
            object.__setattr__(self, "data_dir", os.fspath(self.data_dir))
        names, named = split_kinds(self.tasks, self.task_kinds, self.task)
        object.__setattr__(self, "tasks", names)
        object.__setattr__(self, "task_kinds", named)
        for columns in ("tasks", "smiles_columns", "feature_columns"):
            given = getattr(self, columns)
            if given is not None:
                object.__setattr__(self, columns, (given,) if isinstance(given, str) else tuple(given))
        if self.label_names is not None:
            words = {
                task: names if isinstance(names, str) else tuple(names) for task, names in self.label_names.items()
            }
            object.__setattr__(self, "label_names", words)

    @staticmethod
    def normalize(values: Mapping[str, Any]) -> dict[str, Any]:
        """Write kinds of label columns behind their names, for `from_mapping`, which knows one type of each field."""
        tasks = values.get("tasks")
        names = {"tasks": [name_with_kind(*pair) for pair in tasks.items()]} if isinstance(tasks, Mapping) else {}
        return {**values, **names}

    @classmethod
    def of(cls, options: ReadOptions | None, keywords: ReadKeywords) -> ReadOptions:
        """Return options with some of them replaced.

        Raises:
            TypeError: A keyword that is not an option; the message names the closest and all of them.
        """
        fields = {f.name: getattr(options, f.name) for f in dataclasses.fields(ReadOptions)} if options else {}
        return from_mapping(ReadOptions, {**fields, **keywords})


@dataclass(frozen=True)
class DataOptions(ReadOptions):
    """Options of the data: their source, how they are read and split.

    Args:
        source: Embedded or MoleculeNet name, or the path of a file.
        split: Name of the split, or a JSON or NPZ file of row numbers; None takes "column" where a `split_column` is
            named, else "scaffold".
        split_args: Options of the split, such as {"fold": 3} for "kfold".
        split_seed: Seed of the split; None takes the recipe's seed.
        fractions: Shares of train, valid and test, such as [0.7, 0.1, 0.2]; None takes [0.8, 0.1, 0.1], or, with a test
            file, [0.9, 0.1, 0].
        test_file: Name or file of a test set of its own, read as the source is; the split then cuts the source into
            train and valid.
    """

    source: str = "b3db"
    split: str = None  # type: ignore[assignment]  # None is resolved below, nobody reads it
    split_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    split_seed: int | None = None
    fractions: tuple[float, ...] | None = None
    test_file: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fractions is not None:
            object.__setattr__(self, "fractions", tuple(self.fractions))
        if self.split is None:
            object.__setattr__(self, "split", "scaffold" if self.split_column is None else "column")


@dataclass(frozen=True)
class TrainingOptions:
    """Options of training.

    Args:
        epochs: Passes over the training part, at least 1; None takes enough for 1000 steps (at least 10, at most 200
            epochs) and, unless `patience` is given, stops after a quarter of them without improvement.
        batch_size: Molecules per step, at least 1.
        schedule: Learning rate over time: "noam" (linear warm-up to the optimizer's rate, then exponential decay) or
            "constant".
        warmup_epochs: Length of the warm-up.
        rate_span: First and last learning rate of "noam" as a fraction of the optimizer's.
        patience: Stop after this many epochs without a better validation metric; None never stops early.
        monitor: Validation metric that decides which epoch is best, or "loss"; None takes the data set's own.
        threshold_metric: What the threshold between two classes makes largest on the validation part:
            "balanced_accuracy" (Youden's J), "accuracy", "f1" or "mcc"; None leaves it at a probability of 0.5.
        target_transform: Transform of the labels of regression before they are standardized, "log10" or "yeo-johnson",
            for all tasks or by task; predictions are in the unit of the labels. None transforms none.
        task_weights: Weights of the tasks in the loss, by name (1 for others) or in their order; None weighs all alike.
        class_weight: Weights of the classes in the loss: "balanced" (classes of a task weigh alike in sum), one for
            each class, or by class, such as {"yes": 5, "no": 1}; for all tasks or by task. None weighs all alike.
        max_grad_norm: Clip the norm of the updating gradient; None does not clip.
        accumulate: Batches whose gradients are averaged for one step, at least 1.
        precision: "float32", "bfloat16" (autocast) or "float16" (autocast with a gradient scaler).
        skip_first_sync: With several processes, do not synchronise the gradients of perturbing passes (m-sharpness).
        log_every: Steps between two records of the training scalars.
        checkpoint_every: Steps between checkpoints within an epoch; None writes one at the end of each epoch.
        sharpness_every: Epochs between measurements of sharpness (largest Hessian eigenvalue, rise of the loss in SAM's
            ball) for TensorBoard and the terminal; the last epoch is measured too. One takes as long as training on
            several thousand molecules; None measures none.
        average: Average of the weights that is validated, kept and saved in place of the last weights: "ema"
            (exponential moving average) or "swa" (mean over the end of the run); None keeps the weights as trained.
        average_decay: Largest share of the old average in "ema", in (0, 1); it grows from 0.1 with the steps.
        average_start: Share of the run after which the average begins, in [0, 1); None takes 0 for "ema" and 0.75 for
            "swa".
        ascent_every: Steps between measurements of what a sharpness-aware rule's perturbation does: its cosine with
            the gradient, the rise of the loss along it. One takes two passes; None measures none.
        num_workers: Processes that featurize; 0 featurizes in this one.
        cache_dir: Folder where featurized molecules are kept; None keeps them in memory.
    """

    epochs: int | None = None
    batch_size: int = 32
    schedule: str = "noam"
    warmup_epochs: float = 2.0
    rate_span: float = 0.1
    patience: int | None = None
    monitor: str | None = None
    threshold_metric: str | None = THRESHOLD_METRICS[0]
    target_transform: str | dict[str, str] | None = field(default=None, hash=False)
    task_weights: dict[str, float] | tuple[float, ...] | None = field(default=None, hash=False)
    class_weight: str | dict[str, Any] | tuple[float, ...] | None = field(default=None, hash=False)
    max_grad_norm: float | None = None
    accumulate: int = 1
    precision: str = "float32"
    skip_first_sync: bool = False
    log_every: int = 10
    checkpoint_every: int | None = None
    sharpness_every: int | None = None
    average: str | None = None
    average_decay: float = 0.999
    average_start: float | None = None
    ascent_every: int | None = None
    num_workers: int = 0
    cache_dir: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "log_every", "patience"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give a whole number of at least 1")
        for name in ("task_weights", "class_weight"):
            given = getattr(self, name)
            if isinstance(given, Mapping):  # files have text for names
                object.__setattr__(self, name, {str(key): value for key, value in given.items()})
            elif isinstance(given, Sequence) and not isinstance(given, str):
                object.__setattr__(self, name, tuple(given))
        if self.num_workers < 0:
            raise ValueError(f"num_workers={self.num_workers}: give a number of processes, or 0 for this one")
        if not 0 <= self.warmup_epochs < math.inf:
            raise ValueError(f"warmup_epochs={self.warmup_epochs}: give a number of epochs, 0 for no warm-up")
        for name in ("rate_span", "max_grad_norm"):
            if getattr(self, name) is not None and not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: give a number above 0")
        for name, unit in (("checkpoint_every", "step"), ("sharpness_every", "epoch"), ("ascent_every", "step")):
            every = getattr(self, name)
            if every is not None and every < 1:
                raise ValueError(f"{name}={every}: give at least 1 {unit}, or leave it out")
        if not 0 < self.average_decay < 1:
            raise ValueError(f"average_decay={self.average_decay}: give a number between 0 and 1, such as 0.999")
        if self.average_start is not None and not 0 <= self.average_start < 1:
            raise ValueError(f"average_start={self.average_start}: give a share of the run, from 0 to below 1")
        choices = {
            "schedule": ("noam", "constant"),
            "precision": ("float32", "bfloat16", "float16"),
            "threshold_metric": (*THRESHOLD_METRICS, None),
            "average": ("ema", "swa", None),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose one of {', '.join(map(str, known))}")
