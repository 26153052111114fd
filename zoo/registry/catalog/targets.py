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
ZERO_ONE, CLASSES, NUMBERS, MIXED = "zero_one", "classes", "numbers", "mixed"
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
TASKS.add(
    Entry(
        "mixed",
        "zoo.tasks.mixed:Mixed",
        "Columns of several kinds, each learned as its own",
        facts={"labels": MIXED, "metric": "loss"},
    )
)
TASKS.add_alias("classification", "binary")


THRESHOLD_METRICS = ("balanced_accuracy", "accuracy", "f1", "mcc")
"""Metrics of two classes by which their threshold can be chosen, the default first."""
BINARY, ALL_CLASSES, REGRESSION = ("binary",), ("binary", "multiclass"), ("regression",)


def _metric(name: str, place: str, summary: str, fits: tuple[str, ...], higher_is_better: bool = True) -> None:
    facts = {"fits": fits, "higher_is_better": higher_is_better}
    METRICS.add(Entry(name, f"zoo.tasks.{place}", summary, facts=facts))


_metric(
    "roc_auc", "class_scores:RocAuc", "Area under the ROC curve; of several classes one against the rest", ALL_CLASSES
)
_metric("prc_auc", "class_scores:PrcAuc", "Average precision", BINARY)
_metric("accuracy", "class_scores:Accuracy", "Share of the labels that are predicted right", ALL_CLASSES)
_metric("balanced_accuracy", "class_scores:BalancedAccuracy", "Mean of the classes' accuracies", ALL_CLASSES)
_metric("f1", "class_scores:F1", "Harmonic mean of precision and recall of class 1", BINARY)
_metric("macro_f1", "class_scores:MacroF1", "Mean of the classes' F1 scores", ("multiclass",))
_metric("mcc", "class_scores:Mcc", "Matthews' correlation of labels and predicted classes", ALL_CLASSES)
_metric(
    "log_loss", "class_scores:LogLoss", "Mean negative logarithm of the true class's probability", ALL_CLASSES, False
)
_metric("brier", "class_scores:Brier", "Mean squared error of the probability of class 1", BINARY, False)
_metric("bedroc", "enrichment:Bedroc", "Early recognition of actives, BEDROC with α = 20", BINARY)
_metric("ef1", "enrichment:Enrichment", "Enrichment of actives among the first 1 % of the ranking", BINARY)
_metric("rmse", "number_scores:RMSE", "Root of the mean squared error", REGRESSION, False)
_metric("mae", "number_scores:MAE", "Mean absolute error", REGRESSION, False)
_metric("r2", "number_scores:R2", "Share of the variance that is explained", REGRESSION)
_metric("mse", "number_scores:MSE", "Mean squared error", REGRESSION, False)
_metric("pearson", "number_scores:Pearson", "Linear correlation", REGRESSION)
_metric("spearman", "number_scores:Spearman", "Correlation of ranks", REGRESSION)
_metric(
    "kendall",
    "number_scores:Kendall",
    "Kendall's τ-b: pairs in the same order minus pairs in the opposite one",
    REGRESSION,
)
