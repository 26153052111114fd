"""The recipes of docs/clusters.md (Ray's are in test_ray.py): submitit, Dask, text to Parquet, shards to one file."""

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv, dataset, parquet

from zoo.inference import predict_shards

OPTIONS = {"shards": 5, "num_workers": 0, "progress": False}


@pytest.fixture
def rows(tmp_path):
    """Eleven molecules."""
    path = tmp_path / "library.parquet"
    pd.DataFrame({"smiles": ["C" * (n + 1) for n in range(11)], "row": range(11)}).to_parquet(path)
    return path


def test_jobs_of_submitit_share_the_shards(gcn, rows, tmp_path):
    submitit = pytest.importorskip("submitit")
    executor = submitit.AutoExecutor(folder=tmp_path / "logs", cluster="debug")
    executor.update_parameters(timeout_min=240, cpus_per_task=4, slurm_array_parallelism=50)
    with executor.batch():
        jobs = [executor.submit(predict_shards, gcn, rows, tmp_path / "predicted", **OPTIONS) for _ in range(2)]
    assert [(job.result().rows, job.result().failed) for job in jobs] == [(11, 0)] * 2
    assert dataset.dataset(tmp_path / "predicted").to_table()["row"].to_pylist() == [*range(11)]


def test_tasks_of_dask_have_a_shard_each(gcn, rows, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        tasks = [
            client.submit(predict_shards, gcn, rows, tmp_path / "predicted", shard=shard, pure=False, **OPTIONS)
            for shard in range(5)
        ]
        assert sum(summary.rows for summary in client.gather(tasks)) == 11
    assert dataset.dataset(tmp_path / "predicted").to_table()["row"].to_pylist() == [*range(11)]


def test_shards_become_one_file_batch_by_batch(gcn, rows, tmp_path):
    predict_shards(gcn, rows, tmp_path / "predicted", **OPTIONS)
    shards = dataset.dataset(tmp_path / "predicted", format="parquet")
    with parquet.ParquetWriter(tmp_path / "all.parquet", shards.schema) as writer:
        for batch in shards.to_batches():
            writer.write_batch(batch)
    parts = [parquet.read_table(path) for path in sorted((tmp_path / "predicted").glob("*.parquet"))]
    assert parquet.read_table(tmp_path / "all.parquet").equals(pa.concat_tables(parts))


def test_text_becomes_parquet_batch_by_batch(tmp_path):
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "row": range(3)})
    frame.to_csv(tmp_path / "library.csv.gz", index=False)
    with (
        csv.open_csv(tmp_path / "library.csv.gz") as rows,
        parquet.ParquetWriter(tmp_path / "library.parquet", rows.schema) as writer,
    ):
        for batch in rows:
            writer.write_table(pa.Table.from_batches([batch]), row_group_size=100_000)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "library.parquet"), frame, check_dtype=False)
