"""Third-party parts: decorators that register them, and installed packages that bring them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, TypeVar

from zoo.registry.catalog import ESTIMATORS, FEATURIZERS, FORMATS, MODELS, OPTIMIZERS, SPLITS
from zoo.registry.catalog.targets import LABELS, METRICS, TASKS
from zoo.registry.registry import Entry, Registry

C = TypeVar("C")


@functools.cache
def load_plugins() -> None:
    """Call, once, every function that an installed package names in the entry-point group `molzoo.plugins`."""
    for point in entry_points(group="molzoo.plugins"):
        point.load()()


def register_model(
    name: str,
    *,
    featurizer: str = "grover",
    summary: str = "",
    reference: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Callable[[C], C]:
    """Register the class below as a model.

    Args:
        name: Lower-case letters, digits and `_`.
        featurizer: Default featurizer.
        summary: One line; without it, the first line of the class's docstring.
        reference: Paper.
        defaults: Options that this name sets.

    Raises:
        ValueError: The name is taken.

    Example:
        >>> import torch
        >>> from zoo.layers.message_passing import mean_nodes
        >>> @register_model("mean_atom", featurizer="canonical", summary="A linear model of mean atom features")
        ... class MeanAtom(torch.nn.Module):
        ...     def __init__(self, num_tasks: int, atom_size: int):
        ...         super().__init__()
        ...         self.head = torch.nn.Linear(atom_size, num_tasks)
        ...
        ...     def forward(self, graph):
        ...         return self.head(mean_nodes(graph.graph, graph.atom_feats))
    """
    return _register(MODELS, name, summary, reference, defaults, {"featurizer": featurizer})


def register_optimizer(
    name: str, *, summary: str = "", reference: str = "", defaults: Mapping[str, Any] | None = None
) -> Callable[[C], C]:
    """Register the class below as an optimizer: a torch optimizer, or a rule derived from `optim.SharpnessAware`."""
    return _register(OPTIMIZERS, name, summary, reference, defaults, {})


def register_featurizer(
    name: str, *, summary: str = "", reference: str = "", defaults: Mapping[str, Any] | None = None
) -> Callable[[C], C]:
    """Register the class below, derived from `featurizers.Featurizer`."""
    return _register(FEATURIZERS, name, summary, reference, defaults, {})


def register_split(
    name: str, *, summary: str = "", reference: str = "", defaults: Mapping[str, Any] | None = None
) -> Callable[[C], C]:
    """Register the function below as a split.

    It is called with a `MoleculeDataset` of readable molecules and, by keyword, those of `seed`, `fractions` and its
    own options that it has as parameters. It returns three sequences of positions: train, valid, test. A function
    without a parameter `seed` is deterministic.

    Example:
        >>> @register_split("by_length", summary="Short SMILES train, long ones test")
        ... def by_length(dataset, *, fractions=(0.8, 0.1, 0.1)):
        ...     order = sorted(range(len(dataset)), key=lambda i: len(dataset.smiles[i]))
        ...     first, second = int(fractions[0] * len(order)), int((fractions[0] + fractions[1]) * len(order))
        ...     return order[:first], order[first:second], order[second:]
    """
    return _register(SPLITS, name, summary, reference, defaults, {})


def register_format(name: str, *, suffixes: Sequence[str], summary: str = "", reference: str = "") -> Callable[[C], C]:
    """Register the function below as the reader of a file format.

    It is called with the `Path` of an existing file and returns its rows as a `DataFrame`. A file that it cannot read
    is reported by a `ValueError` of one line.

    Args:
        name: Lower-case letters, digits and `_`.
        suffixes: Ends of the file names, such as `[".jsonl"]`.
        summary: One line; without it, the first line of the docstring.
        reference: Specification of the format.

    Raises:
        ValueError: A suffix does not begin with a dot.

    Example:
        >>> import pandas as pd
        >>> @register_format("json_lines", suffixes=[".jsonl"], summary="A JSON object in each line")
        ... def read_json_lines(path):
        ...     return pd.read_json(path, lines=True)
    """
    wrong = [suffix for suffix in suffixes if not suffix.startswith(".")]
    if wrong:
        raise ValueError(f"format {name!r}: suffixes begin with a dot, such as '.jsonl': {wrong[0]!r} does not")
    return _register(FORMATS, name, summary, reference, None, {"suffixes": tuple(s.lower() for s in suffixes)})


def register_task(
    name: str, *, summary: str = "", reference: str = "", defaults: Mapping[str, Any] | None = None
) -> Callable[[C], C]:
    """Register the class below, derived from `zoo.tasks.Task`, as a kind of target.

    Its class attributes say what its labels are (`labels`), which metrics fit (`metrics`, `default_metric`).

    Raises:
        TypeError: One of these attributes is missing.

    Example:
        >>> from zoo.tasks.task import Regression
        >>> @register_task("robust_regression", summary="A number: its median")
        ... class RobustRegression(Regression):
        ...     metrics = ("mae", "rmse")
        ...     default_metric = "mae"
        ...
        ...     def elementwise_loss(self, scores, targets):
        ...         return (scores - targets).abs()
    """

    def decorate(cls: C) -> C:
        labels, metric = getattr(cls, "labels", None), getattr(cls, "default_metric", None)
        if labels not in LABELS or not metric:
            raise TypeError(
                f"task {name!r}: its class needs `default_metric`, and `labels` which is one of {', '.join(LABELS)}"
            )
        facts = {"labels": labels, "metric": metric, "metrics": tuple(getattr(cls, "metrics", (metric,)))}
        return _register(TASKS, name, summary, reference, defaults, facts)(cls)

    return decorate


def register_estimator(
    name: str, *, summary: str = "", reference: str = "", defaults: Mapping[str, Any] | None = None
) -> Callable[[C], C]:
    """Register the class below, derived from `zoo.trust.Estimator`, as an estimator of uncertainty."""
    return _register(ESTIMATORS, name, summary, reference, defaults, {})


def register_metric(
    name: str,
    *,
    fits: Sequence[str],
    higher_is_better: bool | None = None,
    summary: str = "",
    reference: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Callable[[C], C]:
    """Register the function or class below as a metric.

    Args:
        name: Lower-case letters, digits and `_`.
        fits: Kinds of target, such as `("binary",)`.
        higher_is_better: Whether larger values are better; None reads the attribute of this name.
        summary: One line; without it, the first line of the docstring.
        reference: Paper.
        defaults: Arguments that this name sets.

    Raises:
        TypeError: Nobody says whether higher is better.

    Example:
        >>> import numpy as np
        >>> @register_metric("max_error", fits=["regression"], higher_is_better=False)
        ... def max_error(targets, predictions, quantile=1.0):
        ...     return float(np.quantile(np.abs(targets - predictions), quantile))
    """

    def decorate(target: C) -> C:
        better = getattr(target, "higher_is_better", None) if higher_is_better is None else higher_is_better
        if better is None:
            raise TypeError(f"metric {name!r}: say whether higher_is_better=True or False")
        facts = {"fits": tuple(TASKS[task].name for task in fits), "higher_is_better": bool(better)}
        return _register(METRICS, name, summary, reference, defaults, facts)(target)

    return decorate


def _register(
    registry: Registry[Any],
    name: str,
    summary: str,
    reference: str,
    defaults: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
) -> Callable[[C], C]:
    def decorate(cls: C) -> C:
        line = summary or (getattr(cls, "__doc__", None) or "").strip().partition("\n")[0]
        registry.add(Entry(name, cls, line, reference, defaults or {}, facts))
        return cls

    return decorate
