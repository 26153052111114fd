"""Small trained models and a library that they predict."""

import pandas as pd
import pytest

import zoo

TINY = {"gcn": {"hidden_size": 8}, "grover": {"hidden_size": 8, "num_layers": 2, "num_heads": 2}}


@pytest.fixture(scope="session")
def model_of_seed(tmp_path_factory):
    """Saves a tiny GCN of a seed, in a folder of its own called `model`."""

    def save(seed, **options):
        folder = tmp_path_factory.mktemp("seed") / "model"
        zoo.build("gcn", seed=seed, **options).save(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def gcn(model_of_seed):
    return model_of_seed(0)


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A small GROVER with two tasks."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    zoo.build("grover", num_tasks=2, model_args=TINY["grover"]).save(folder)
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory, b3db):
    """250 rows, some of them unreadable."""
    smiles = list(b3db.smiles[:250])
    smiles[::40] = ["unreadable"] * len(smiles[::40])
    path = tmp_path_factory.mktemp("library") / "library.csv"
    pd.DataFrame({"name": [f"m{i}" for i in range(250)], "smiles": smiles}).to_csv(path, index=False)
    return path
