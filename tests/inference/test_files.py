"""Prediction of files: workers, interruption, bounded work."""

import csv

import numpy as np
import pandas as pd
import pytest

from zoo.inference import files as inference
from zoo.inference import workers as processes


def test_workers_give_what_one_process_gives(saved, library, tmp_path):
    for workers in (0, 2):
        summary = inference.predict_file(
            saved, library, tmp_path / f"{workers}.csv", chunk_size=60, num_workers=workers, progress=False
        )
        assert (summary.rows, summary.failed, summary.continued) == (250, 7, 0)
    one, two = (pd.read_csv(tmp_path / f"{workers}.csv") for workers in (0, 2))
    assert one["reason"].equals(two["reason"])
    np.testing.assert_allclose(one.filter(like="predicted"), two.filter(like="predicted"), rtol=1e-4)


def test_cut_off_call_is_continued(saved, library, tmp_path, monkeypatch):
    output = tmp_path / "out.csv"
    predict_rows, calls = processes.predict_rows, []

    def break_at_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict_rows(*arguments)

    monkeypatch.setattr(processes, "predict_rows", break_at_third)
    options = {"chunk_size": 50, "num_workers": 0, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        inference.predict_file(saved, library, output, **options)
    assert not output.exists()
    summary = inference.predict_file(saved, library, output, **options)
    assert (summary.rows, summary.continued) == (250, 100)
    assert len(calls) == 3 + 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    inference.predict_file(saved, library, tmp_path / "clean.csv", **options)
    assert output.read_text() == (tmp_path / "clean.csv").read_text()


def test_every_row_of_an_awkward_file_is_written_in_its_place(saved, tmp_path):
    smiles = ["CCO\n", "C(C", "\nCCN", "", "CC>>CO", "InChI=1S/CH4/h1H4", "CCO", "C" * 12_000]
    notes = ["a\rb", "", "x,y", '"', "1.50", "NA", "ü", "two\nlines"]
    read = pd.DataFrame({"note": notes, "smiles": smiles})
    read.to_csv(tmp_path / "in.csv", index=False, quoting=csv.QUOTE_ALL)
    inference.predict_file(
        saved, tmp_path / "in.csv", tmp_path / "out.csv", chunk_size=3, num_workers=0, progress=False
    )
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        written = pd.DataFrame(list(csv.DictReader(file)))
    pd.testing.assert_frame_equal(written[["note", "smiles"]], read)
    assert (written["predicted_task_0"] == "").tolist() == [False, True, False, True, True, False, False, True]
    reasons = ["", "syntax error", "", "empty SMILES", "a reaction", "", "", "12000 atoms, more than"]
    assert all(part in reason for part, reason in zip(reasons, written["reason"], strict=True))
    assert ((written["reason"] == "") == (written["predicted_task_0"] != "")).all()


def test_rdkit_does_not_fill_the_screen(saved, tmp_path, capfd):
    rows = tmp_path / "rows.csv"
    rows.write_text("smiles\nCCO\nC(C)(C)(C)(C)C\n[H]\nunreadable\n")
    summary = inference.predict_file(saved, rows, tmp_path / "out.csv", num_workers=0, progress=False)
    assert (summary.rows, summary.failed) == (4, 2)
    assert capfd.readouterr().err == ""
