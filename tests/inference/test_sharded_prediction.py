"""One file predicted to many shards, by one process or several."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from zoo import data
from zoo.commands.main import main
from zoo.inference import InferenceError, predict_file, predict_shards
from zoo.inference.claims import claim

OPTIONS = {"chunk_size": 20, "num_workers": 0, "progress": False}


@pytest.fixture(scope="module")
def table(library, tmp_path_factory):
    """The library as Parquet, in row groups of 60, with a number that is missing at first and an index."""
    frame = pd.read_csv(library)
    frame["number"] = pd.array([pd.NA] * 100 + list(range(150)), dtype="Int64")
    path = tmp_path_factory.mktemp("table") / "library.parquet"
    frame.to_parquet(path, row_group_size=60)
    return path


@pytest.fixture(scope="module")
def expected(gcn, table, tmp_path_factory):
    """The same rows in one file."""
    path = tmp_path_factory.mktemp("expected") / "out.parquet"
    predict_file(gcn, table, path, **OPTIONS)
    return parquet.read_table(path)


def read(folder):
    """All shards, one after another, which must agree in their types."""
    return pa.concat_tables([parquet.read_table(path) for path in sorted(folder.glob("shard-*.parquet"))])


def same(one, two):
    """Whether tables are equal but for the last digits of predictions, which depend on the batch."""
    pd.testing.assert_frame_equal(one.to_pandas(), two.to_pandas(), rtol=1e-4)
    return one.schema == two.schema


@pytest.mark.parametrize("shards", [1, 4, 31])
def test_shards_are_the_file_cut_into_pieces(shards, gcn, table, expected, tmp_path):
    summary = predict_shards(gcn, table, tmp_path / "out", shards=shards, **OPTIONS)
    assert (summary.rows, summary.failed, summary.continued) == (250, 7, 0)
    assert same(read(tmp_path / "out"), expected)
    sizes = [parquet.read_metadata(path).num_rows for path in (tmp_path / "out").glob("*.parquet")]
    assert len(sizes) == shards
    assert max(sizes) - min(sizes) <= 1
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".parquet", ".json"}
    assert same(dataset.dataset(tmp_path / "out").to_table(), expected)  # the folder is a table as it is


def test_what_is_done_is_not_done_again(gcn, table, expected, tmp_path):
    predict_shards(gcn, table, tmp_path, shards=5, shard=3, **OPTIONS)
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["shard-00003-of-00005.parquet"]
    assert predict_shards(gcn, table, tmp_path, shards=5, **OPTIONS).continued == 50
    assert predict_shards(gcn, table, tmp_path, shards=5, **OPTIONS).continued == 250
    assert same(read(tmp_path), expected)


def test_workers_give_the_same_in_the_same_order(gcn, table, expected, tmp_path):
    predict_shards(gcn, table, tmp_path, shards=3, **{**OPTIONS, "num_workers": 2})
    assert same(read(tmp_path), expected)


def test_rows_of_text_files_are_cut_too(gcn, tmp_path):
    rows = pd.DataFrame({"note": [f"a{i}\nb,{i}" for i in range(23)], "smiles": ["C" * (i + 1) for i in range(23)]})
    rows.to_csv(tmp_path / "in.csv", index=False)
    predict_shards(gcn, tmp_path / "in.csv", tmp_path / "out", shards=4, **{**OPTIONS, "chunk_size": 2})
    found = read(tmp_path / "out").to_pandas()
    pd.testing.assert_frame_equal(found[["note", "smiles"]], rows, check_dtype=False)
    assert found["predicted_task_0"].notna().all()


def test_processes_share_the_work(gcn, table, expected, tmp_path):
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(predict_shards, gcn, table, tmp_path, shards=25, **OPTIONS) for _ in range(3)]
        summaries = [future.result() for future in futures]
    assert [summary.rows for summary in summaries] == [250] * 3
    assert sum(summary.rows - summary.continued for summary in summaries) == 250
    assert same(read(tmp_path), expected)
    assert not list(tmp_path.glob(".*"))


def test_a_shard_that_was_cut_off_is_done_again(gcn, table, expected, tmp_path, monkeypatch):
    write, calls = data.RowWriter.write, []

    def stop_at_sixth(*arguments):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return write(*arguments)

    monkeypatch.setattr(data.RowWriter, "write", stop_at_sixth)
    with pytest.raises(KeyboardInterrupt):
        predict_shards(gcn, table, tmp_path, shards=5, **OPTIONS)
    assert {path.name for path in tmp_path.iterdir()} == {"_request.json", "shard-00000-of-00005.parquet"}
    (tmp_path / f"shard-00001-of-00005.parquet.{'0' * 32}.part").write_text("left by a killed process")
    assert predict_shards(gcn, table, tmp_path, shards=5, **OPTIONS).continued == 50
    assert same(read(tmp_path), expected)
    assert not list(tmp_path.glob("*.part"))


def test_a_shard_that_another_process_has_is_waited_for(gcn, table, expected, tmp_path):
    with ThreadPoolExecutor(1) as threads:
        with claim(tmp_path / "shard-00002-of-00005.parquet", "a shard"):
            future = threads.submit(predict_shards, gcn, table, tmp_path, shards=5, **OPTIONS)
            with pytest.raises(NotYet):
                future.result(3)
            assert len(list(tmp_path.glob("*.parquet"))) == 4
        assert future.result(60).continued == 0  # the other one has left it undone
    assert same(read(tmp_path), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shards": 0}, "shards=0 for 250 rows"),
        ({"shards": 251}, "give a number from 1 to 250"),
        ({"shards": 5, "shard": 5}, "from 0 to 4"),
        ({"shards": 6}, "another request .other shards."),
    ],
)
def test_wrong_numbers_are_refused(arguments, message, gcn, table, tmp_path):
    predict_shards(gcn, table, tmp_path / "out", shards=5, shard=0, **OPTIONS)
    with pytest.raises(InferenceError, match=message):
        predict_shards(gcn, table, tmp_path / "out", **arguments, **OPTIONS)


def test_shards_of_something_else_are_refused(gcn, model_of_seed, table, library, tmp_path):
    predict_shards(gcn, table, tmp_path / "out", shards=5, shard=0, **OPTIONS)
    with pytest.raises(InferenceError, match=r"another request .other models"):
        predict_shards(model_of_seed(1), table, tmp_path / "out", shards=5, **OPTIONS)
    with pytest.raises(InferenceError, match=r"another request .other columns, content"):
        predict_shards(gcn, library, tmp_path / "out", shards=5, **OPTIONS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("not yours")
    with pytest.raises(InferenceError, match="is not empty"):
        predict_shards(gcn, table, tmp_path / "mine", shards=5, **OPTIONS)


def test_the_command_shares_and_says_what_is_done(gcn, table, expected, tmp_path, capsys):
    command = ["predict", str(gcn), str(table), "--output", str(tmp_path / "out"), "--quiet", "--num-workers", "0"]
    main([*command, "--shards", "5", "--shard", "4"])
    assert "50 rows, 2 without a prediction\n" in capsys.readouterr().out
    main([*command, "--shards", "5"])
    assert "250 rows, 5 without a prediction, 50 of them by other calls\n" in capsys.readouterr().out
    assert same(read(tmp_path / "out"), expected)
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--shard", "4"])
    assert stopped.value.code == 2
    assert "give both" in capsys.readouterr().err
