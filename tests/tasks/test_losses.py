"""Losses with bounds, masks and weights against closed forms and published values."""

import numpy as np
import pytest
import torch
from support.places import FIXTURES

from zoo.tasks import Binary, Multiclass, Regression, Supervised, Weighting

FILE = FIXTURES / "losses" / "expected.npz"


@pytest.fixture(scope="module")
def expected():
    if not FILE.exists():
        pytest.skip(f"no {FILE}")
    with np.load(FILE) as file:
        return {name: torch.from_numpy(file[name]) for name in file}


def bounds_of(values):
    return values["greater_than"].long() - values["less_than"].long()


@pytest.mark.parametrize(
    ("name", "task", "labels"),
    [
        ("mse", Regression(), "targets"),
        ("mae", Regression(loss="mae"), "targets"),
        ("bounded_mse", Regression(), "targets"),
        ("bounded_mae", Regression(loss="mae"), "targets"),
        ("binary_cross_entropy", Binary(), "binary"),
        ("cross_entropy", Multiclass(num_classes=4), "classes"),
    ],
)
def test_losses_are_those_of_the_published_package(expected, name, task, labels):
    scores = expected["preds"] if labels != "classes" else expected["class_logits"].flatten(1)
    targets, mask = expected[labels].double(), expected["mask"].double()
    bounds = bounds_of(expected) if name.startswith("bounded") else None
    elements = task.elementwise_loss(scores, targets)
    if bounds is not None:
        elements = task.bounded_loss(scores, targets, bounds)
    torch.testing.assert_close(elements, expected[f"loss/{name}/elements"], rtol=0, atol=1e-10)
    weighting = Weighting(tasks=tuple(expected["task_weights"].tolist()))
    found = Supervised(task, weighting=weighting).of_scores(
        scores, targets, mask, bounds=bounds, weights=expected["weights"]
    )
    torch.testing.assert_close(found.total, expected[f"loss/{name}/reduced"], rtol=0, atol=1e-10)
