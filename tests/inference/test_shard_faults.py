"""Sharded prediction where something is wrong: other requests, locks, disks, inputs that change."""

import errno
import os
import resource
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from pyarrow import parquet

from zoo import data
from zoo.commands.main import main
from zoo.data import DataError
from zoo.inference import InferenceError, claims, predict_shards

OPTIONS = {"shards": 3, "chunk_size": 2, "num_workers": 0, "progress": False}


@pytest.fixture
def rows(tmp_path):
    """Seven molecules."""
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"smiles": ["C" * (n + 1) for n in range(7)], "row": range(7)}).to_parquet(path)
    return path


def rows_of(folder):
    """The rows of all shards, in order."""
    return [
        row for path in sorted(folder.glob("shard-*.parquet")) for row in parquet.read_table(path)["row"].to_pylist()
    ]


def refuse_line(arguments, capsys):
    """Run a command that must end with status 2, and return its one line."""
    with pytest.raises(SystemExit) as stopped:
        main(["predict", *map(str, arguments), "--num-workers", "0", "--quiet"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_of_two_runs_on_one_folder_one_is_refused(gcn, model_of_seed, rows, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        models = [gcn, model_of_seed(1)]
        futures = [threads.submit(predict_shards, model, rows, tmp_path / "out", **OPTIONS) for model in models]
        errors = [future.exception() for future in futures]
    (error,) = filter(None, errors)
    assert isinstance(error, InferenceError)
    assert "another request (other models)" in str(error)
    assert rows_of(tmp_path / "out") == [*range(7)]


def test_locks_of_a_machine_that_is_gone_hold_nobody_up(gcn, rows, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("._request.json.lock", ".shard-00001-of-00003.parquet.lock"):
        (out / name).write_text("12345\nanother-machine\n")
    assert predict_shards(gcn, rows, out, **OPTIONS).continued == 0
    assert rows_of(out) == [*range(7)]
    assert not list(out.glob(".*"))


def test_without_locks_each_process_has_its_own_shard(gcn, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "lock_for_a_moment", lambda descriptor: False)
    monkeypatch.setattr(claims.locks, "take", lambda *arguments: pytest.fail("a lock was taken"))
    out = tmp_path / "out"
    with pytest.raises(InferenceError, match=r"out is on a file system without locks.*--shard"):
        predict_shards(gcn, rows, out, **OPTIONS)
    predict_shards(gcn, rows, out, shard=0, **OPTIONS)
    half = out / f"shard-00002-of-00003.parquet.{'0' * 32}.part"
    half.write_text("of a process that may be writing it")
    for shard in range(3):
        predict_shards(gcn, rows, out, shard=shard, **OPTIONS)
    assert half.exists()
    assert rows_of(out) == [*range(7)]


def test_a_full_disk_gets_one_line_and_what_is_done_is_kept(gcn, rows, tmp_path):
    predict_shards(gcn, rows, tmp_path / "out", shard=0, **OPTIONS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DataError, match=r"shard-00001-of-00003\.parquet cannot be written \(.*\): make room"):
            predict_shards(gcn, rows, tmp_path / "out", **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"_request.json", "shard-00000-of-00003.parquet"}
    assert predict_shards(gcn, rows, tmp_path / "out", **OPTIONS).continued == 2
    assert rows_of(tmp_path / "out") == [*range(7)]


def test_a_folder_that_cannot_be_written_gets_one_line(gcn, rows, tmp_path, monkeypatch, capsys):
    command = [gcn, rows, "--shards", "3", "--output", tmp_path / "out"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        assert "no permission to write in" in refuse_line(command, capsys)
    (tmp_path / "out").mkdir()

    def refuse(**options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(claims.tempfile, "TemporaryFile", refuse)
    assert "out cannot be written (Read-only file system)" in refuse_line(command, capsys)


def test_a_folder_may_lie_where_nothing_can_be_made(gcn, rows, tmp_path, monkeypatch):
    out, may_write = tmp_path / "out", os.access
    out.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and may_write(path, mode))
    assert predict_shards(gcn, rows, out, **OPTIONS).rows == 7


def test_a_file_in_the_place_of_the_folder_is_refused(gcn, rows, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert "out is a file: choose a folder" in refuse_line(
        [gcn, rows, "--shards", "3", "--output", tmp_path / "out"], capsys
    )
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv"])
def test_a_file_without_rows_is_refused(name, gcn, tmp_path, capsys):
    empty = pd.DataFrame({"smiles": pd.Series([], dtype=str)})
    empty.to_parquet(tmp_path / name) if name.endswith("parquet") else empty.to_csv(tmp_path / name, index=False)
    said = refuse_line([gcn, tmp_path / name, "--shards", "1", "--output", tmp_path / "out"], capsys)
    assert "a header but no rows" in said
    assert not (tmp_path / "out").exists()


def test_an_input_that_changes_meanwhile_is_found_out(gcn, rows, tmp_path, monkeypatch):
    write, out = data.RowWriter.write, tmp_path / "out"

    def touch_at_second_shard(self, *arguments):
        if "shard-00001" in self.path.name:
            os.utime(rows, ns=(1, 1))
        return write(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(data.RowWriter, "write", touch_at_second_shard)
        with pytest.raises(InferenceError, match=r"rows\.parquet has changed while it was predicted"):
            predict_shards(gcn, rows, out, **OPTIONS)
    assert {path.name for path in out.iterdir()} == {"_request.json", "shard-00000-of-00003.parquet"}
    assert predict_shards(gcn, rows, out, **OPTIONS).continued == 2  # the content is the same
    pd.read_parquet(rows).replace({"smiles": {"CCCC": "CCCO"}}).to_parquet(rows)
    with pytest.raises(InferenceError, match=r"another request .other content."):
        predict_shards(gcn, rows, out, **OPTIONS)


def test_a_note_that_is_cut_off_is_not_written_over(gcn, rows, tmp_path):
    predict_shards(gcn, rows, tmp_path / "out", shard=0, **OPTIONS)
    note = tmp_path / "out" / "_request.json"
    note.write_text(note.read_text()[:40])
    with pytest.raises(InferenceError, match="is not empty"):
        predict_shards(gcn, rows, tmp_path / "out", **OPTIONS)
