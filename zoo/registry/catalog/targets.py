"""Every built-in kind of target and every built-in metric.

`facts` of a kind of target (see `zoo.tasks.Task`): `labels` says what its cells are ("zero_one", "classes" or
"numbers"), `metric` the default one, `link` how a score becomes a prediction where that is
simple. `facts` of a metric: the kinds of target that it `fits`, and whether `higher_is_better`.
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
