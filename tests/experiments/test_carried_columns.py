"""What stood in a file beside the labels is in the predictions of the test part too."""

from __future__ import annotations

import pandas as pd

from zoo.experiments import experiment
from zoo.recipe import DataOptions, Recipe


def test_ids_and_other_columns_are_in_the_test_predictions(tmp_path):
    rows = [f"CPD-{i},{'C' * (i % 9 + 1)}O{'N' * (i // 9)},{i % 7},note {i},{i}" for i in range(40)]
    path = tmp_path / "assay.csv"
    path.write_text("compound,smiles,logS,remark,predicted_logS\n" + "\n".join(rows) + "\n")
    options = DataOptions(str(path), tasks=("logS",), task="regression", split="random")
    experiment.run(
        Recipe("random_forest", featurizer="fingerprint", data=options), folder=tmp_path / "run", progress=False
    )
    table = pd.read_csv(tmp_path / "run" / "test_predictions.csv")
    assert table.columns.tolist() == [
        *("row", "line", "smiles", "compound", "remark", "predicted_logS", "logS", "predicted_logS_predicted")
    ]
    lines = path.read_text().splitlines()
    for entry in table.itertuples():
        compound, smiles, label, remark, own = lines[entry.line - 1].split(",")
        assert (entry.row, entry.compound, entry.smiles, entry.remark) == (entry.line - 2, compound, smiles, remark)
        assert (entry.logS, entry.predicted_logS) == (float(label), float(own))
