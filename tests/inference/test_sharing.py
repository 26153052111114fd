"""Several predictions of one file, at once and one after another."""

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from zoo.commands.main import main
from zoo.inference import default_output, predict_file
from zoo.inference import files as inference
from zoo.inference.claims import claim
from zoo.runs import locks

OPTIONS = {"chunk_size": 25, "num_workers": 0, "progress": False}


@pytest.fixture(scope="module")
def other(model_of_seed):
    return model_of_seed(1)


def cut_off(*arguments, monkeypatch):
    """Predict everything, but stop before the output is written."""
    with monkeypatch.context() as patched:
        patched.setattr(inference, "assemble", lambda *rest: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            predict_file(*arguments, **OPTIONS)


def test_two_models_on_one_output_never_mix(gcn, other, library, tmp_path):
    texts = []
    for model in (gcn, other):
        predict_file(model, library, tmp_path / "alone.csv", **OPTIONS)
        texts.append((tmp_path / "alone.csv").read_text())
    assert texts[0] != texts[1]
    with ThreadPoolExecutor(6) as threads:
        futures = [
            threads.submit(predict_file, model, library, tmp_path / "out.csv", **OPTIONS) for model in [gcn, other] * 3
        ]
        summaries = [future.result() for future in futures]
    assert all(summary.rows == 250 for summary in summaries)
    assert (tmp_path / "out.csv").read_text() in texts
    assert {path.name for path in tmp_path.iterdir()} == {"alone.csv", "out.csv"}


def test_waiting_for_another_process_is_said(gcn, library, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    output = tmp_path / "out.csv"
    with claim(output, "the output") as free:
        assert free
        thread = threading.Thread(target=predict_file, args=(gcn, library, output), kwargs=OPTIONS)
        thread.start()
        thread.join(1.5)
        assert thread.is_alive()
        assert not output.exists()
    thread.join(60)
    assert output.exists()
    said = capsys.readouterr().err
    assert "waiting for the output" in said
    assert "another process" in said


def test_a_claim_that_is_not_waited_for_is_refused(tmp_path):
    with claim(tmp_path / "a", "a"), claim(tmp_path / "a", "a", wait=False) as free:
        assert not free
    assert list(tmp_path.iterdir()) == []


def test_parts_of_the_same_request_are_used(gcn, library, tmp_path, monkeypatch):
    cut_off(gcn, library, tmp_path / "out.csv", monkeypatch=monkeypatch)
    moved = shutil.copy(library, tmp_path / "moved.csv")
    assert predict_file(gcn, moved, tmp_path / "out.csv", **OPTIONS).continued == 250


def test_parts_of_another_model_are_not_used(gcn, other, library, tmp_path, monkeypatch):
    cut_off(gcn, library, tmp_path / "out.csv", monkeypatch=monkeypatch)
    assert predict_file(other, library, tmp_path / "out.csv", **OPTIONS).continued == 0


def test_parts_of_another_content_are_not_used(gcn, library, tmp_path, monkeypatch):
    source = tmp_path / "in.csv"
    shutil.copy(library, source)
    stat = source.stat()
    cut_off(gcn, source, tmp_path / "out.csv", monkeypatch=monkeypatch)
    source.write_bytes(source.read_bytes().replace(b"m1,", b"x1,").replace(b"CC", b"CN"))
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source.stat().st_size == stat.st_size
    assert predict_file(gcn, source, tmp_path / "out.csv", **OPTIONS).continued == 0


@pytest.mark.parametrize("name", ["recipe.json", "fitted.json"])
def test_parts_of_another_recipe_are_not_used(name, gcn, library, tmp_path, monkeypatch):
    model = tmp_path / "model"
    shutil.copytree(gcn, model)
    cut_off(model, library, tmp_path / "out.csv", monkeypatch=monkeypatch)
    values = json.loads((model / name).read_text())
    values.update({"seed": 7} if name == "recipe.json" else {"task_names": ["renamed"]})
    (model / name).write_text(json.dumps(values))
    assert predict_file(model, library, tmp_path / "out.csv", **OPTIONS).continued == 0


def test_leftovers_of_killed_calls_are_removed(gcn, library, tmp_path):
    leftovers = [tmp_path / f"out.csv.{'0123456789abcdef' * 2}.part", tmp_path / ".out.csv.parts" / "000001.unfinished"]
    own = tmp_path / "out.csv.mine.part"
    leftovers[1].parent.mkdir()
    for path in (*leftovers, own):
        path.write_text("half of it")
    predict_file(gcn, library, tmp_path / "out.csv", **OPTIONS)
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", own.name}


def test_default_names_tell_runs_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {
        "runs/first": "library.first.predicted.csv",
        "runs/first/checkpoints/last": "library.first-last.predicted.csv",
        "a/model": "library.a-model.predicted.csv",
        "b/model": "library.b-model.predicted.csv",
        str(tmp_path / "runs" / "first"): "library.first.predicted.csv",
        "/elsewhere/sweep/seed 0": "library.sweep-seed_0.predicted.csv",
    }
    assert {run: default_output(run, "data/library.csv.gz").name for run in names} == names
    (tmp_path / "runs" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "runs" / "here")
    assert default_output(".", "x.smi").name == "x.here.predicted.csv"


def test_two_models_have_two_outputs_by_default(gcn, other, library, tmp_path, capsys):
    source = shutil.copy(library, tmp_path / "rows.csv")
    for model in (gcn, other):
        main(["predict", str(model), str(source), "--num-workers", "0", "--quiet"])
    tables = [pd.read_csv(path) for path in tmp_path.glob("rows.*.predicted.csv")]
    assert len(tables) == 2
    assert not np.allclose(tables[0]["predicted_task_0"], tables[1]["predicted_task_0"], equal_nan=True)
