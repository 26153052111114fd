"""Every metric against scikit-learn, SciPy and RDKit, and its sums over resamples against drawn rows."""

import numpy as np
import pytest
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment
from scipy import stats
from sklearn import metrics as sk

from zoo.registry.catalog.targets import METRICS
from zoo.registry.kinds import metrics_of
from zoo.tasks import compute, make_metric
from zoo.tasks.bootstrap import draw
from zoo.tasks.scores import Metric

GENERATOR = np.random.default_rng(1)
LABELS = (GENERATOR.random(80) < 0.3).astype(float)
PROBABILITIES = np.clip(GENERATOR.normal(0.4 + 0.2 * LABELS, 0.2), 0, 1)
CLASSES = (PROBABILITIES >= 0.5).astype(int)
ORDERED = [[int(label)] for label in LABELS[np.argsort(-PROBABILITIES, kind="stable")]]
VALUES = GENERATOR.normal(size=80)
PREDICTED = VALUES + GENERATOR.normal(size=80)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("roc_auc", sk.roc_auc_score(LABELS, PROBABILITIES)),
        ("prc_auc", sk.average_precision_score(LABELS, PROBABILITIES)),
        ("accuracy", sk.accuracy_score(LABELS, CLASSES)),
        ("balanced_accuracy", sk.balanced_accuracy_score(LABELS, CLASSES)),
        ("f1", sk.f1_score(LABELS, CLASSES)),
        ("mcc", sk.matthews_corrcoef(LABELS, CLASSES)),
        ("log_loss", sk.log_loss(LABELS, PROBABILITIES)),
        ("brier", sk.brier_score_loss(LABELS, PROBABILITIES)),
        ("bedroc", CalcBEDROC(ORDERED, 0, 20.0)),
        ("ef1", CalcEnrichment(ORDERED, 0, [0.01])[0]),
        ("rmse", sk.root_mean_squared_error(VALUES, PREDICTED)),
        ("mse", sk.mean_squared_error(VALUES, PREDICTED)),
        ("mae", sk.mean_absolute_error(VALUES, PREDICTED)),
        ("r2", sk.r2_score(VALUES, PREDICTED)),
        ("pearson", stats.pearsonr(VALUES, PREDICTED).statistic),
        ("spearman", stats.spearmanr(VALUES, PREDICTED).statistic),
        ("kendall", stats.kendalltau(VALUES, PREDICTED).statistic),
    ],
)
def test_a_metric_is_what_the_library_computes(name, expected):
    numbers = METRICS[name].facts["fits"] == ("regression",)
    targets, predictions = (VALUES, PREDICTED) if numbers else (LABELS, PROBABILITIES)
    assert compute(name, targets[:, None], predictions[:, None]).value == pytest.approx(expected, rel=1e-12)


def invented_task(kind, size):
    """Labels and predictions with ties."""
    generator = np.random.default_rng(size)
    if kind == "binary":
        return (generator.random(size) < 0.4).astype(float), np.round(generator.random(size), 1) * 0.98 + 0.01
    if kind == "multiclass":
        scores = generator.random((size, 4))
        return generator.integers(0, 4, size).astype(float), scores / scores.sum(axis=1, keepdims=True)
    labels = np.round(generator.normal(size=size), 1)
    return labels, np.round(labels + generator.normal(size=size), 1)


@pytest.mark.parametrize("size", [2, 7, 50])
@pytest.mark.parametrize(
    ("kind", "name"), [(k, m) for k in ("binary", "multiclass", "regression") for m in metrics_of(k)]
)
def test_sums_over_resamples_equal_drawn_rows(kind, name, size):
    targets, predictions = invented_task(kind, size)
    counts, metric = draw(np.random.default_rng(0), 25, size), make_metric(name)
    expected = Metric.resampled(metric, targets, predictions, counts)
    found = metric.resampled(targets, predictions, counts)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(
        metric.resampled(targets, predictions, np.ones((1, size)))[0],
        compute(name, targets[:, None], predictions[:, None]).value,
        rtol=1e-9,
        atol=1e-11,
    )


def test_one_metric_after_another_stops_after_two_hundred():
    values = make_metric("kendall").resampled(VALUES, PREDICTED, draw(np.random.default_rng(0), 210, 80))
    assert np.isnan(values).tolist() == [False] * 200 + [True] * 10


@pytest.mark.parametrize(
    ("name", "targets", "predictions", "reason"),
    [
        *((n, [1, 1], [0.2, 0.3], "labels of one class only") for n in ("roc_auc", "prc_auc", "f1", "mcc", "bedroc")),
        ("balanced_accuracy", [0, 0], [0.2, 0.3], "labels of one class only"),
        ("bedroc", [0, 1], [0.4, 0.4], "the same prediction everywhere"),
        ("ef1", [0, 1], [0.4, 0.4], "the same prediction everywhere"),
        *((n, [1.0, 2.0], [3.0, 3.0], "the same prediction everywhere") for n in ("pearson", "spearman", "kendall")),
        *((n, [1.0, 1.0], [3.0, 4.0], "the same label everywhere") for n in ("r2", "pearson", "spearman", "kendall")),
        *((n, [1.0], [3.0], "fewer than two labels") for n in ("r2", "pearson", "spearman", "kendall")),
        ("log_loss", [np.nan], [0.3], "no labels"),
        ("rmse", [1.0], [np.nan], "no predictions"),
    ],
)
def test_what_is_not_defined_has_its_reason(name, targets, predictions, reason):
    both = np.array([[0.0], [1.0]]) if name in metrics_of("binary") else np.array([[0.0], [2.0]])
    padding = np.full((max(0, len(targets) - 2), 1), np.nan)
    fine = np.vstack([both, padding])[: max(len(targets), 2)]
    first = np.full((len(fine), 1), np.nan)
    first[: len(targets), 0] = targets
    scores = np.full((len(fine), 1), np.nan)
    scores[: len(targets), 0] = predictions
    found = compute(name, np.hstack([first, fine]), np.hstack([scores, np.array([[0.2], [0.9]])]))
    assert found.left_out == ((0, reason),)
    assert np.isnan(found.per_task[0])
    assert found.value == found.per_task[1]
    assert found.tasks_in_mean == 1


def test_ties_do_not_flatter_a_ranking():
    targets, predictions = np.array([[1.0]] * 5 + [[0.0]] * 95), np.array([[0.5]] * 99 + [[0.1]])
    assert compute("ef1", targets, predictions).value == 0.0
    shuffled = np.random.default_rng(0).permutation(100)
    assert compute("bedroc", targets[shuffled], predictions[shuffled]) == compute("bedroc", targets, predictions)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_a_certain_mistake_costs_as_much_as_in_scikit_learn(certain):
    targets, predictions = np.array([0.0, 1.0, 1.0]), np.array([certain, 0.9, 1 - certain])
    expected = sk.log_loss(targets, predictions)
    assert compute("log_loss", targets[:, None], predictions[:, None]).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("name", "options"), [("ef1", {"fraction": 0}), ("bedroc", {"alpha": -1})])
def test_arguments_out_of_range(name, options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}=.*: give"):
        make_metric(name, options)
