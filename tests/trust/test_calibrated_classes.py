"""Classes next to calibrated probabilities are those of the thresholds that training chose."""

from dataclasses import replace

import numpy as np
import pytest

import zoo
from zoo.trust import calibrate


@pytest.fixture(scope="module")
def trained(small):
    learner = zoo.build("random_forest", dataset=small, model_args={"num_trees": 20, "num_jobs": 1})
    history = learner.fit(small, split="random", progress=False, threshold_metric="mcc")
    return learner, history.split


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_a_correction_of_probabilities_changes_no_decision(trained, method):
    learner, parts = trained
    (name,) = learner.fitted.task_names
    plain = learner.predictions(parts.test).to_frame()
    calibrate(learner, parts.valid, method=method)
    found = learner.predictions(parts.test, uncertainty="calibrated").to_frame()
    assert not np.allclose(found[f"predicted_{name}"], plain[f"predicted_{name}"])
    assert found[f"class_{name}"].tolist() == plain[f"class_{name}"].tolist()
    learner.fitted = replace(learner.fitted, calibration={})
