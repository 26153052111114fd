from types import SimpleNamespace

import numpy as np
import pytest
import torch

import zoo
from zoo.commands.main import main
from zoo.training import precision

SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "CCN", "CCCC", "O=C=O", "CNC", "CCCl", "c1ccsc1", "CC#N"] * 2
LABELS = [[float(len(text))] for text in SMILES]


def run(model="grover", hidden_size=800, asked="float32", device="cpu"):
    return SimpleNamespace(
        recipe=SimpleNamespace(model=model),
        model=SimpleNamespace(config=SimpleNamespace(hidden_size=hidden_size)),
        options=SimpleNamespace(precision=asked),
        device=torch.device(device),
    )


def test_bfloat16_is_advised_where_it_was_measured_to_be_faster(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert "--precision bfloat16" in precision.advise_precision(run())
    others = [run(hidden_size=100), run(model="gcn"), run(asked="bfloat16"), run(device="cuda"), run(model="my_own")]
    assert [precision.advise_precision(other) for other in others] == [""] * 5
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert precision.advise_precision(run()) == ""


def test_train_prints_the_advice_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("zoo.training.precision.advise_precision", lambda run: f"faster than {run.options.precision}")
    rows = [f"{text},{label[0]}" for text, label in zip(SMILES, LABELS, strict=True)]
    (tmp_path / "few.csv").write_text("\n".join(["smiles,y", *rows]))
    options = [
        "--model",
        "gcn",
        "--model-args.hidden_size",
        "8",
        "--epochs",
        "1",
        "--split",
        "random",
        "--task",
        "regression",
    ]
    main(["train", "--data", str(tmp_path / "few.csv"), *options, "--output", str(tmp_path / "run")])
    assert capsys.readouterr().out.count("precision  faster than float32\n") == 1


@pytest.mark.parametrize("model", ["grover", "dmpnn"])
def test_predictions_after_bfloat16_are_made_in_float32(model):
    data = zoo.data.load((SMILES, LABELS), task="regression")
    learner = zoo.build(model, dataset=data, model_args={"hidden_size": 16}, device="cpu")
    learner.fit(data, split=None, epochs=1, precision="bfloat16", progress=False)
    assert all(parameter.dtype == torch.float32 for parameter in learner.model.parameters())
    predicted = learner.predict(SMILES[:4]).astype(np.float64)
    exact = learner.model.double()
    packed = zoo.data.featurize(SMILES[:4], learner.featurizer)
    (batch,) = zoo.data.MoleculeLoader(packed, learner.featurizer, batch_size=4)
    with torch.no_grad():
        scores = exact(batch.graph).numpy()
    scale, shift = np.std([y[0] for y in LABELS]), np.mean([y[0] for y in LABELS])
    # bfloat16 has three digits; what agrees to five was not computed in it.
    np.testing.assert_allclose(predicted, scores * scale + shift, rtol=1e-5)
