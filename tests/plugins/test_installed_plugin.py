"""A package that somebody else installs adds a part of each kind; commands and new processes know them by name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PLUGIN = Path(__file__).parents[1] / "support" / "plugin"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Environment of processes that find the installed plugin."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source")  # setuptools builds in the folder of its sources
    target = folder / "site"
    command = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, *command, str(source)], check=True, timeout=300)
    path = os.pathsep.join([str(target), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixty alcohols and amines with a number each."""
    file = tmp_path_factory.mktemp("data") / "numbers.csv"
    smiles = [f"{'C' * n}{tail}" for n in range(1, 21) for tail in ("O", "N", "Cl")]
    pd.DataFrame({"smiles": smiles, "y": np.sin(np.arange(60.0)) + 0.05 * np.arange(60)}).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def run(installed, table, tmp_path_factory):
    """A run of the command line with all five parts."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    molzoo(
        installed,
        *f"train --data {table} --model example_mean --featurizer example_features --task example_median".split(),
        *f"--featurizer-args.factor 2.0 --split example_length --metric example_error --output {folder}".split(),
        *["--optimizer", "adam", "--epochs", "2", "--quiet"],
    )
    return folder


def molzoo(environment, *arguments):
    """Standard output of a command in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *arguments], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def python(environment, code, *arguments):
    """JSON that a program prints in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


PREDICT = """
import json, sys, zoo
learner = zoo.load(sys.argv[1], device="cpu")
recipe = learner.recipe
print(json.dumps({
    "values": learner.predict(["CCO", "CCCCCCN"])[:, 0].tolist(),
    "parts": [recipe.model, recipe.featurizer, recipe.data.split, recipe.data.metric, learner.fitted.task],
    "factor": learner.featurizer.factor,
    "fitted": dict(learner.fitted.model),
}))
"""


def test_a_new_process_loads_and_predicts(installed, run, table):
    found = python(installed, PREDICT, run)
    assert found["parts"] == ["example_mean", "example_features", "example_length", "example_error", "example_median"]
    assert found["factor"] == 2.0
    assert found["fitted"]["bias"] is True
    rows = table.with_name("two.csv")
    rows.write_text("smiles\nCCO\nCCCCCCN\n")
    molzoo(installed, "predict", str(run), str(rows), "--output", str(rows.with_name("out.csv")), "--num-workers", "2")
    predicted = pd.read_csv(rows.with_name("out.csv"))
    np.testing.assert_allclose(predicted["predicted_y"], found["values"], rtol=1e-5)
    assert predicted["reason"].isna().all()


def test_split_and_metric_of_the_run_are_the_plugins(installed, run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert "example_error" in json.dumps(metrics)
    lines = molzoo(installed, "evaluate", str(run), "--json").strip().splitlines()
    assert json.loads(lines[-1])["example_error"] > 0
    test = pd.read_csv(run / "test_predictions.csv")
    assert test["smiles"].str.len().min() >= 18  # the longest of 1 to 20 atoms and their tails


def test_listed_and_described(installed):
    text = molzoo(installed, "list")
    assert all(name in text for name in ("example_mean", "example_features"))
    assert "bias" in molzoo(installed, "describe", "example_mean")


def test_without_the_plugin_the_missing_name_is_reported(installed, run):
    here = {**installed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "evaluate", str(run)], env=here, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2
    assert "example" in done.stderr
    assert "Traceback" not in done.stderr
