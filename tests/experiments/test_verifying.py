"""A run verifies itself: the same numbers here, or the first place where they differ."""

import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.experiments.verifying import verify


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    smiles = ["C" * length + end for length in range(1, 16) for end in ("O", "N", "Cl")]
    table = pd.DataFrame({"smiles": smiles, "y": [len(text) % 2 for text in smiles]})
    table.to_csv(folder / "data.csv", index=False)
    model = ["--model", "gcn", "--model-args.hidden_size", "8", "--epochs", "2", "--split", "random", "--quiet"]
    main(["train", "--data", str(folder / "data.csv"), *model, "--output", str(folder / "run")])
    return folder


def test_an_untouched_run_is_bit_identical(run, capsys):
    capsys.readouterr()
    main(["verify", str(run / "run")])
    printed = capsys.readouterr().out
    assert "bit-identical" in printed
    assert "DIFFERENT" not in printed
    assert "the same losses to the last digit" in printed


def test_a_changed_history_is_found_in_its_epoch(run):
    file = run / "run" / "history.csv"
    text = file.read_text()
    try:
        table = pd.read_csv(file)
        table.loc[1, "loss"] += 1e-9
        table.to_csv(file, index=False)
        found = {check.name: check for check in verify(run / "run")}
    finally:
        file.write_text(text)
    assert found["weights"].passed
    assert "in epoch 2" in found["training"].detail


def test_changed_data_and_predictions_are_reported(run, capsys):
    file = run / "run" / "test_predictions.csv"
    text, rows = file.read_text(), (run / "data.csv").read_text()
    try:
        table = pd.read_csv(file)
        table["predicted_y"] += 0.01
        table.to_csv(file, index=False)
        with pytest.raises(SystemExit) as stop:
            main(["verify", str(run / "run"), "--quick"])
        assert stop.value.code == 1
        assert "predictions  DIFFERENT" in capsys.readouterr().out
        (run / "data.csv").write_text(rows.replace("CO,0", "CO,1"))
        assert [check.passed for check in verify(run / "run", quick=True)][1] is False
    finally:
        file.write_text(text)
        (run / "data.csv").write_text(rows)


def test_mistakes_get_one_line(tmp_path, capsys):
    zoo.build("gcn").save(tmp_path / "saved")
    for folder, message in ((tmp_path / "nothing", "holds no"), (tmp_path / "saved", "no released checkpoint")):
        with pytest.raises(SystemExit) as stop:
            main(["verify", str(folder)])
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
