"""Every built-in kind of target and every built-in metric.

`facts` of a kind of target (see `zoo.tasks.Task`): `labels` says what its cells are ("zero_one", "classes" or
"numbers"), `metric` the default one, `link` how a score becomes a prediction where that is simple; every metric of the
kind that it is `like` fits it too. `facts` of a metric: the kinds of target that it `fits`, and whether
`higher_is_better`.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

TASKS: Registry[Any] = Registry("task")
METRICS: Registry[Any] = Registry("metric")
ZERO_ONE, CLASSES, NUMBERS = "zero_one", "classes", "numbers"
LABELS = (ZERO_ONE, CLASSES, NUMBERS)

_entry: Entry[Any]
for _entry in (
    Entry(
        "binary",
        "zoo.tasks.task:Binary",
        "Two classes: the probability of class 1",
        facts={"labels": ZERO_ONE, "metric": "roc_auc", "link": "sigmoid"},
    ),
    Entry(
        "multiclass",
        "zoo.tasks.task:Multiclass",
        "Three or more classes: the probability of each",
        facts={"labels": CLASSES, "metric": "accuracy", "link": "softmax"},
    ),
    Entry(
        "regression",
        "zoo.tasks.task:Regression",
        "A number: its mean",
        facts={"labels": NUMBERS, "metric": "rmse", "link": "identity"},
    ),
):
    TASKS.add(_entry)


def _distribution(name: str, attribute: str, summary: str, like: str, metric: str) -> None:
    facts = {"labels": TASKS[like].facts["labels"], "metric": metric, "like": like}
    TASKS.add(Entry(name, f"zoo.tasks.distributions:{attribute}", summary, facts=facts))


_distribution("mean_variance", "MeanVariance", "A number: its mean and variance", "regression", "rmse")
_distribution("quantile", "Quantile", "A number: its median and an interval", "regression", "mae")
_distribution("evidential", "Evidential", "A number: evidence for a Gaussian distribution", "regression", "rmse")
_distribution("dirichlet", "Dirichlet", "Three or more classes: evidence for each", "multiclass", "accuracy")
_distribution("binary_dirichlet", "BinaryDirichlet", "Two classes: evidence for each", "binary", "roc_auc")
TASKS.add_alias("classification", "binary")


def _metric(name: str, attribute: str, summary: str, fits: tuple[str, ...], higher_is_better: bool = True) -> None:
    facts = {"fits": fits, "higher_is_better": higher_is_better}
    METRICS.add(Entry(name, f"zoo.tasks.scores:{attribute}", summary, facts=facts))


_metric("roc_auc", "RocAuc", "Area under the ROC curve", ("binary",))
_metric("prc_auc", "PrcAuc", "Average precision", ("binary",))
_metric("accuracy", "Accuracy", "Share of the labels that are predicted right", ("binary", "multiclass"))
_metric("balanced_accuracy", "BalancedAccuracy", "Mean of the classes' accuracies", ("multiclass",))
_metric("macro_f1", "MacroF1", "Mean of the classes' F1 scores", ("multiclass",))
_metric("log_loss", "LogLoss", "Mean negative logarithm of the true class's probability", ("multiclass",), False)
_metric("rmse", "RMSE", "Root of the mean squared error", ("regression",), False)
_metric("mae", "MAE", "Mean absolute error", ("regression",), False)
_metric("r2", "R2", "Share of the variance that is explained", ("regression",))
