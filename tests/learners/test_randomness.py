"""Building, training, predicting and measuring leave the caller's random generators as they were."""

import random

import numpy as np
import pytest
import torch

import zoo
from zoo import sharpness

SMALL = {"hidden_size": 8, "num_layers": 2, "dropout": 0.5}
OPTIONS = {"epochs": 1, "progress": False, "split": "random"}


def states():
    return torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()


def unchanged(before):
    return (
        all(np.array_equal(*pair) for pair in zip(before[:2], states()[:2], strict=True)) and before[2] == states()[2]
    )


@pytest.fixture(scope="module")
def learner():
    return zoo.build("gcn", model_args=SMALL, device="cpu")


DOINGS = {
    "build": lambda learner, data: zoo.build("grover", model_args={"hidden_size": 8}, seed=3),
    "fit": lambda learner, data: learner.fit(data, **OPTIONS),
    "a fit that fails": lambda learner, data: fail(learner, data),
    "fit of trees": lambda learner, data: zoo.build("random_forest", model_args={"num_trees": 2}).fit(data, **OPTIONS),
    "predict": lambda learner, data: learner.predict(["CCO"]),
    "split": lambda learner, data: data.split("random", seed=5),
    "sharpness": lambda learner, data: sharpness.measure(
        learner, data, max_molecules=8, eigenvalues=0, directions=1, stochastic=True
    ),
    "Hessian": lambda learner, data: sharpness.measure(learner, data, max_molecules=8, directions=0),
    "landscape": lambda learner, data: sharpness.landscape(learner, data, points=3, dimensions=1, max_molecules=8),
}


class Failing:
    def on_step_end(self, run):
        raise ArithmeticError


def fail(learner, data):
    with pytest.raises(ArithmeticError):
        learner.fit(data, callbacks=[Failing()], **OPTIONS)


@pytest.mark.parametrize("do", DOINGS.values(), ids=DOINGS)
def test_generators_stay_as_they_were(learner, small, do):
    before = states()
    do(learner, small)
    assert unchanged(before)


def test_results_follow_the_seed_alone(small):
    found = []
    for caller in (1, 2):
        torch.manual_seed(caller)
        learner = zoo.build("gcn", model_args=SMALL, seed=7, device="cpu")
        torch.manual_seed(caller + 10)
        learner.fit(small, **OPTIONS)
        found.append(learner.predict(["CCO", "c1ccccc1"]))
    np.testing.assert_array_equal(*found)
