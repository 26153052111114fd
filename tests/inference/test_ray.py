"""A Ray data set predicted by actors has the rows of the shards."""

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import zoo
from zoo.data import DataError
from zoo.inference import InferenceError, predict_shards
from zoo.inference.ray import predict_dataset

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {"chunk_size": 40, "progress": False}


def test_without_ray_the_extra_is_named(gcn, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(InferenceError, match=r"pip install 'molzoo\[ray\]'"):
        predict_dataset(gcn, None)


@pytest.fixture(scope="module")
def cluster():
    """A cluster on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is an extra: pip install 'molzoo[ray]'")
    pytest.importorskip("ray.data")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_AUTH_MODE", "disabled")  # it would write a token into the home folder
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patched.setenv("PYTHONPATH", str(ROOT))
        # Two actors, and a core for those that read: with two cores they would wait for each other.
        ray.init(num_cpus=3, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def table(library, tmp_path_factory):
    """The library as Parquet, with a number that is missing at first and a column that has a name of ours."""
    frame = pd.read_csv(library)
    frame["number"] = pd.array([pd.NA] * 100 + list(range(150)), dtype="Int64")
    frame["reason"] = "mine"
    path = tmp_path_factory.mktemp("table") / "library.parquet"
    frame.to_parquet(path, row_group_size=60)
    return path


@pytest.fixture(scope="module")
def trained(b3db, tmp_path_factory):
    """A tiny model of two words."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    smiles = list(b3db.smiles[300:340])
    data = zoo.data.load((smiles, ["yes", "no"] * 20))
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
    learner.fit(data, split=None, epochs=1, progress=False)
    learner.save(folder)
    return folder


def test_the_rows_are_those_of_the_shards(cluster, trained, table, tmp_path):
    options = {"domain": "fingerprint", "neighbors": 1}
    predict_shards(trained, table, tmp_path / "shards", shards=4, num_workers=0, **OPTIONS, **options)
    shards = pa.concat_tables([parquet.read_table(path) for path in sorted((tmp_path / "shards").glob("*.parquet"))])
    rows = cluster.data.read_parquet(str(table))
    predict_dataset(trained, rows, concurrency=2, **OPTIONS, **options).write_parquet(str(tmp_path / "ray"))
    found = pa.concat_tables([parquet.read_table(path) for path in sorted((tmp_path / "ray").glob("*.parquet"))])
    assert found.schema.remove_metadata() == shards.schema.remove_metadata()
    one, two = (rows.to_pandas().sort_values("name", ignore_index=True) for rows in (found, shards))
    pd.testing.assert_frame_equal(one, two, rtol=1e-4)
    assert (one["reason_predicted"] != "").sum() == 7


def test_wrong_data_sets_are_refused_before_anything_is_predicted(cluster, gcn):
    with pytest.raises(InferenceError, match="has no rows"):
        predict_dataset(gcn, cluster.data.from_pandas(pd.DataFrame({"smiles": pd.Series([], dtype=str)})))
    with pytest.raises(DataError, match="no column"):
        predict_dataset(gcn, cluster.data.from_items([{"number": 1}]))
    with pytest.warns(UserWarning, match="take 3 cores and the cluster has 3"):
        predict_dataset(gcn, cluster.data.from_items([{"smiles": "C"}]), concurrency=3)
    with pytest.raises(InferenceError, match="batch_size=0"):
        predict_dataset(gcn, cluster.data.from_items([{"smiles": "C"}]), batch_size=0)
