"""Checkpoints survive crashes, damage and strangers, and say in one line what is wrong."""

import json
import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch

import zoo
from zoo.commands import train
from zoo.commands.faults import find_fault
from zoo.recipe import DataOptions, Recipe, TrainingOptions
from zoo.runs import checkpoint
from zoo.runs.checkpoint import CheckpointError

SMALL = {"hidden_size": 8, "num_layers": 2}
FILES = ("recipe.json", "fitted.json", "versions.json", "model.safetensors", "training_state.pt")


@pytest.fixture(scope="module")
def learner():
    return zoo.build("gcn", model_args=SMALL, device="cpu")


@pytest.fixture
def saved(learner, tmp_path):
    learner.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_files_are_readable_by_all_whom_the_umask_allows(learner, tmp_path):
    before = os.umask(0o027)
    try:
        learner.save(tmp_path / "saved")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "saved").iterdir()}
    assert modes == dict.fromkeys(FILES, 0o640)


def test_every_file_is_on_the_disk_before_the_name(learner, tmp_path, monkeypatch):
    events, fsync, rename = [], os.fsync, os.rename

    def note(descriptor):
        events.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "rename", lambda *names: (events.append("RENAME"), rename(*names))[1])
    learner.save(tmp_path / "saved")
    at = events.index("RENAME")
    assert set(FILES) < set(events[:at])
    assert events[at - 1].startswith("saved.new-")
    assert events[at + 1 :] == [tmp_path.name]


def test_leftovers_of_dead_processes_are_removed_and_others_stay(learner, tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    orphan = tmp_path / f"saved.new-{dead.stdout.strip()}"
    alive = tmp_path / f"saved.new-{os.getppid()}"
    for folder in (orphan, alive, tmp_path / "saved.new-one"):
        folder.mkdir()
    learner.save(tmp_path / "saved")
    assert {path.name for path in tmp_path.iterdir()} == {"saved", alive.name, "saved.new-one"}


def test_a_failed_write_leaves_the_checkpoint_and_nothing_else(saved, monkeypatch):
    before = {file.name: file.read_bytes() for file in saved.iterdir()}

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "sync_folder", no_space)
    with pytest.raises(OSError, match="No space"):
        zoo.load(saved, device="cpu").save(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.99])
def test_a_full_disk_names_the_checkpoint_and_the_remedy_wherever_writing_stops(saved, learner, share):
    resource = pytest.importorskip("resource", reason="limits of file sizes are for POSIX")
    before, content = resource.getrlimit(resource.RLIMIT_FSIZE), (saved / "model.safetensors").read_bytes()
    largest = max((saved / name).stat().st_size for name in FILES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest * share), before[1]))
    try:
        with pytest.raises(OSError) as error:
            learner.save(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    fault = find_fault(error.value)
    assert fault.status == 2
    assert str(saved) in fault.message
    assert "write elsewhere" in fault.message
    assert (saved / "model.safetensors").read_bytes() == content
    assert len(list(saved.parent.iterdir())) == 1


def test_a_link_is_replaced_and_not_followed(saved, learner):
    link = saved.parent / "link"
    link.symlink_to(saved)
    before = {file.name: file.stat().st_mtime_ns for file in saved.iterdir()}
    learner.save(link)
    assert link.is_dir()
    assert not link.is_symlink()
    assert {file.name: file.stat().st_mtime_ns for file in saved.iterdir()} == before


@pytest.mark.parametrize("place", ["checkpoints", "checkpoints/last", "metrics.json", "run.lock"])
def test_a_resumed_run_writes_through_no_link(small, tmp_path, place):
    options = {"epochs": 1, "progress": False, "split": "random", "logdir": tmp_path / "run"}
    zoo.build("gcn", model_args=SMALL, device="cpu").fit(small, **options)
    elsewhere = tmp_path / "elsewhere"
    link = tmp_path / "run" / place
    if link.exists():
        shutil.move(link, elsewhere)
    else:
        elsewhere.write_text("{}")
    link.symlink_to(elsewhere)
    before = {file: file.read_bytes() for file in [elsewhere, *elsewhere.rglob("*")] if file.is_file()}
    with pytest.raises(CheckpointError, match=f"{place} is a link"):
        zoo.build("gcn", model_args=SMALL, device="cpu").fit(small, **options | {"epochs": 2}, resume=True)
    assert {file: file.read_bytes() for file in before} == before


def test_a_resumed_run_fills_no_cache_that_only_its_files_name(tmp_path, capsys):
    training = TrainingOptions(epochs=2, cache_dir=str(tmp_path / "elsewhere"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text(Recipe("gcn", data=DataOptions(), training=training).to_json())
    arguments = ["--resume", str(tmp_path / "run")]
    parser = train.make_parser()
    recipe = train.recipe_to_resume(parser, arguments, str(tmp_path / "run"), loud=True)
    assert recipe.training.cache_dir is None
    assert f"--cache-dir {tmp_path / 'elsewhere'}" in capsys.readouterr().out
    named = [*arguments, "--cache-dir", str(tmp_path / "elsewhere")]
    recipe = train.recipe_to_resume(parser, named, str(tmp_path / "run"), loud=True)
    assert recipe.training.cache_dir == training.cache_dir


@pytest.mark.parametrize("name", ["recipe.json", "fitted.json", "model.safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_off_file_is_reported_in_one_line(saved, name, part):
    data = (saved / name).read_bytes()
    (saved / name).write_bytes(data[: int(part * len(data))])
    with pytest.raises(CheckpointError, match=r"damaged or cut off|holds no checkpoint") as caught:
        zoo.load(saved, device="cpu")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_cut_off_training_state_is_reported(saved, part):
    data = (saved / "training_state.pt").read_bytes()
    (saved / "training_state.pt").write_bytes(data[: int(part * len(data))])
    with pytest.raises(CheckpointError, match=r"training_state\.pt is damaged or cut off"):
        checkpoint.read(saved).training_state()


@pytest.mark.parametrize("name", ["recipe.json", "fitted.json"])
@pytest.mark.parametrize("values", [[], 5, "text", None])
def test_json_of_another_kind_is_damage(saved, name, values):
    (saved / name).write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="a mapping is expected"):
        zoo.load(saved)


@pytest.mark.parametrize("change", [{"recipe.json": "flavour"}, {"fitted.json": "flavour"}, {"fitted.json": "model"}])
def test_a_newer_version_is_named(saved, change):
    for name, field in change.items():
        values = json.loads((saved / name).read_text())
        new = {"model": {**values["model"], "new_option": 1}} if field == "model" else {field: 1}
        (saved / name).write_text(json.dumps(values | new))
    versions = json.loads((saved / "versions.json").read_text())
    (saved / "versions.json").write_text(json.dumps(versions | {"molzoo": "99.1"}))
    with pytest.raises(CheckpointError, match=r"newer version of molzoo \(99\.1; this is") as caught:
        zoo.load(saved)
    assert "\n" not in str(caught.value)


def test_weights_of_another_model_are_reported_shortly(saved, learner):
    other = zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2, "num_heads": 2}, device="cpu")
    with pytest.raises(CheckpointError, match="does not fit the model") as caught:
        checkpoint.read(saved).load_into(other.model)
    assert len(str(caught.value)) < 700


def test_the_checkpoint_that_was_being_replaced_is_found(saved, learner):
    saved.rename(saved.with_name("saved.previous"))
    np.testing.assert_array_equal(zoo.load(saved, device="cpu").predict("CCO"), learner.predict("CCO"))


@pytest.mark.parametrize("name", ["model.safetensors", "recipe.json", "training_state.pt"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_checkpoint_with_a_link_or_a_pipe_is_refused(name, kind, tmp_path):
    zoo.build("gcn").save(tmp_path / "saved")
    file = tmp_path / "saved" / name
    elsewhere = file.rename(tmp_path / name)
    file.symlink_to(elsewhere) if kind == "link" else os.mkfifo(file)
    with pytest.raises(checkpoint.CheckpointError, match=r"is (a link|not a file)|holds no checkpoint"):
        zoo.load(str(tmp_path / "saved"))


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    learner = zoo.build("gcn")
    with torch.no_grad():
        next(learner.model.parameters())[0] = float("nan")
    learner.save(tmp_path / "saved")
    with pytest.raises(checkpoint.CheckpointError, match="NaN or infinite"):
        zoo.load(str(tmp_path / "saved"))
