"""A class named in a file is neither imported nor built, whichever way the file comes in, but on explicit trust."""

import dataclasses
import json
import sys

import pytest
import torch
import yaml

import zoo
from zoo.commands.main import main
from zoo.experiments import experiment
from zoo.experiments.sweep.specification import Sweep
from zoo.experiments.tuning.tuning import Tuning, tune
from zoo.inference import predict_file
from zoo.layers.message_passing import mean_nodes
from zoo.recipe import DataOptions, Recipe, TrainingOptions
from zoo.recipe.trust import UntrustedPlace

HARMFUL = "harmful_module_of_a_stranger"
SMALL = {"hidden_size": 8, "num_layers": 2}


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """A module that leaves a file when it is imported, called or given to a subprocess."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / f"{HARMFUL}.py").write_text(
        f"import pathlib\nMARK = pathlib.Path({str(tmp_path / 'harm')!r})\nMARK.touch()\n"
        "def run(**options):\n    MARK.touch()\n"
        "import torch\nfrom zoo.models.gcn import GCN\nclass Net(GCN):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    yield tmp_path / "harm"
    sys.modules.pop(HARMFUL, None)


@pytest.fixture(scope="module")
def run_of_a_stranger(tmp_path_factory, small):
    """A run whose files name a function as the featurizer."""
    folder = tmp_path_factory.mktemp("runs") / "stranger"
    recipe = Recipe("gcn", "sgd", "canonical", model_args=SMALL, data=DataOptions(split="random"))
    experiment.run(dataclasses.replace(recipe, training=TrainingOptions(epochs=1)), dataset=small, folder=folder)
    for file in folder.rglob("recipe.json"):
        values = json.loads(file.read_text())
        file.write_text(json.dumps(values | {"featurizer": f"{HARMFUL}:run", "featurizer_args": {"command": "x"}}))
    return folder


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "molecules.csv"
    file.write_text("smiles\nCCO\n")
    return file


@pytest.mark.parametrize("part", ["model", "optimizer", "featurizer"])
@pytest.mark.parametrize("name", [f"{HARMFUL}:run", "os:system"])
def test_a_recipe_that_names_a_function_builds_nothing(marker, part, name):
    recipe = dataclasses.replace(Recipe("gcn", featurizer="canonical"), **{part: name})
    with pytest.raises(UntrustedPlace, match=rf"{part} '{name}' is not a registered name.*trust=True \(--trust\)"):
        zoo.assemble(recipe)
    assert not marker.exists()
    with pytest.raises(ValueError, match="is not a subclass of"):
        zoo.assemble(recipe, trust=True)


def test_python_loads_and_predicts_files_with_nothing_imported(marker, run_of_a_stranger, table, tmp_path):
    for folder in (run_of_a_stranger, run_of_a_stranger / "checkpoints" / "best"):
        with pytest.raises(UntrustedPlace):
            zoo.load(folder)
    with pytest.raises(UntrustedPlace):
        predict_file(run_of_a_stranger, table, tmp_path / "out.csv")
    with pytest.raises(UntrustedPlace):
        experiment.run(Recipe("gcn", featurizer=f"{HARMFUL}:run"))
    with pytest.raises(UntrustedPlace):
        Sweep.parse(f"models: {{'{HARMFUL}:run': }}\noptimizers: [sgd]\ndatasets: [b3db]").runs()
    with pytest.raises(UntrustedPlace):
        tune(Tuning.parse(f"model: '{HARMFUL}:run'\nsearch: {{training.batch_size: [8]}}"), tmp_path / "journal")
    assert not marker.exists()
    assert not (tmp_path / "out.csv").exists()


COMMANDS = {
    "predict": "predict {run} {table}",
    "evaluate": "evaluate {run}",
    "sharpness": "sharpness {run}",
    "resume": "train --resume {run}",
    "train --recipe JSON": "train --recipe {run}/recipe.json --output {tmp}/new",
    "train --recipe YAML": "train --recipe {tmp}/recipe.yaml --output {tmp}/new",
    "train --model": f"train --model {HARMFUL}:run --output {{tmp}}/new",
    "benchmark": "benchmark {tmp}/sweep.yaml --results {tmp}/results.sqlite",
    "benchmark --dry-run": "benchmark {tmp}/sweep.yaml --results {tmp}/results.sqlite --dry-run",
    "tune": "tune {tmp}/search.yaml --output {tmp}/tuned",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_commands_refuse_in_one_line(marker, run_of_a_stranger, table, tmp_path, command, capsys):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"model": f"{HARMFUL}:run"}))
    (tmp_path / "sweep.yaml").write_text(f"models: {{'{HARMFUL}:run': }}\noptimizers: [sgd]\ndatasets: [b3db]\n")
    (tmp_path / "search.yaml").write_text(f"optimizer: '{HARMFUL}:run'\nsearch: {{training.batch_size: [8]}}\n")
    filled = command.format(run=run_of_a_stranger, table=table, tmp=tmp_path)
    with pytest.raises(SystemExit) as exit_info:
        main(filled.split())
    assert exit_info.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "is not a registered name" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    assert not marker.exists()


def test_a_trusted_class_is_saved_and_loaded(marker, tmp_path):
    learner = zoo.build(f"{HARMFUL}:Net", featurizer="canonical", model_args=SMALL, device="cpu")
    assert marker.exists()
    learner.save(tmp_path / "saved")
    with pytest.raises(UntrustedPlace):
        zoo.load(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", device="cpu", trust=True)
    assert (loaded.predict("CCO") == learner.predict("CCO")).all()
    with pytest.raises(ValueError, match="cannot be imported"):
        zoo.build("no_such_module:Net")


def test_classes_of_registered_names_need_no_trust(tmp_path):
    """Only variants of these classes have names, so that recipes note their places."""
    model = zoo.build("gps", model_args={"hidden_size": 8, "num_layers": 1, "num_heads": 2}, device="cpu").model
    learner = zoo.build(
        model,
        featurizer=type(zoo.build("gps", device="cpu").featurizer)(walk_steps=16),
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
    )
    assert learner.recipe.featurizer.endswith(":StructuralFeaturizer")
    assert learner.recipe.optimizer.endswith(":SGD")
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", device="cpu")
    assert (loaded.predict("CCO") == learner.predict("CCO")).all()
    assert isinstance(loaded.optimizer, torch.optim.SGD)


def test_a_model_of_a_local_class_is_loaded_into_an_object(tmp_path):
    class Local(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(74, 1)

        def forward(self, graph):
            return self.head(mean_nodes(graph.graph, graph.atom_feats))

    learner = zoo.build(Local(), featurizer="canonical", device="cpu")
    learner.save(tmp_path / "saved")
    with pytest.raises(UntrustedPlace, match="not a registered name") as caught:
        zoo.load(tmp_path / "saved")
    assert "\n" not in str(caught.value)
    loaded = zoo.load(tmp_path / "saved", model=Local(), device="cpu")
    assert (loaded.predict("CCO") == learner.predict("CCO")).all()
