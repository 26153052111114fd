"""A Ray data set predicted by actors has the rows of the shards."""

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

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


def shards_of(model, table, folder, options):
    """Return the rows of shards."""
    predict_shards(model, table, folder, shards=4, num_workers=0, **OPTIONS, **options)
    return pa.concat_tables([parquet.read_table(path) for path in sorted(folder.glob("*.parquet"))])


class HereDataset:
    """Stands for a Ray data set: one actor in this process."""

    def __init__(self, table):
        self.table = table

    def take_batch(self, size, batch_format):
        return self.table.slice(0, size)

    def map_batches(self, actor, fn_constructor_args, batch_size, **options):
        predict = actor(*pickle.loads(pickle.dumps(fn_constructor_args)))
        parts = [self.table.slice(start, batch_size) for start in range(0, len(self.table), batch_size)]
        return pa.concat_tables([predict(part) for part in parts])


@pytest.mark.parametrize("options", [{}, {"domain": "fingerprint", "neighbors": 1}], ids=["plain", "domain"])
def test_an_actor_gives_the_rows_of_the_shards(options, trained, table, tmp_path, monkeypatch):
    here = SimpleNamespace(ActorPoolStrategy=lambda **sizes: sizes, cluster_resources=lambda: {"CPU": 4.0})
    monkeypatch.setitem(sys.modules, "ray", here)
    monkeypatch.setitem(sys.modules, "ray.data", here)
    found = predict_dataset(trained, HereDataset(parquet.read_table(table)), **OPTIONS, **options)
    shards = shards_of(trained, table, tmp_path / "shards", options)
    assert found.schema == shards.schema
    pd.testing.assert_frame_equal(found.to_pandas(), shards.to_pandas(), rtol=1e-4)
    assert (found.to_pandas()["reason_predicted"] != "").sum() == 7


def test_the_rows_are_those_of_the_shards(cluster, trained, table, tmp_path):
    options = {"domain": "fingerprint", "neighbors": 1}
    shards = shards_of(trained, table, tmp_path / "shards", options)
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
