"""Prediction of a Ray data set by a pool of actors, each of which holds the model: `pip install "molzoo[ray]"`.

    import ray
    from zoo.inference.ray import predict_dataset

    rows = ray.data.read_parquet("library/")
    predict_dataset("runs/b3db-gcn-seed0", rows, concurrency=16).write_parquet("predicted/")

The rows have the columns of `molzoo predict --shards`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zoo import data
from zoo.data.reading.parquet import frame_of
from zoo.data.writing.parquet import schema_of
from zoo.data.writing.rows import free_name
from zoo.inference.errors import InferenceError
from zoo.inference.job import Job, predict_rows
from zoo.inference.request import Request

if TYPE_CHECKING:
    import pyarrow
    import ray.data

HEAD = 100  # rows in which the columns are found, as in files


def predict_dataset(
    run: str | Path,
    dataset: ray.data.Dataset,
    *,
    concurrency: int | tuple[int, int] = 1,
    num_cpus: float = 1,
    num_gpus: float = 0,
    **options: Any,
) -> ray.data.Dataset:
    """Add the columns `predicted_TASK`, ... and `reason` to the rows of a Ray data set.

    Nothing is predicted before the result is read or written. Its rows are those of the data set; they are in the same
    order where Ray keeps it (`DataContext.get_current().execution_options.preserve_order = True`).

    Args:
        run: Folder of a run or a checkpoint, under this path on every machine of the cluster.
        dataset: Rows with a column of SMILES, and what else the model reads; at least one.
        concurrency: Actors, or the fewest and the most of a pool that grows. They must leave a core to the tasks that
            read the rows.
        num_cpus: Cores of an actor, and its threads.
        num_gpus: GPUs of an actor, also a part of one; with 0 it predicts on its CPU.
        **options: Fields of `FileOptions`; actors take the place of `num_workers`, and Ray shows its own progress.

    Raises:
        InferenceError: Ray is not installed, the data set is empty, or an option is out of its range.
        DataError: There is no column of molecules, or a feature is missing.
        CheckpointError: There is no model, or a damaged one.
    """
    try:
        from ray.data import ActorPoolStrategy
    except ImportError as error:
        raise InferenceError("predict_dataset needs Ray Data: pip install 'molzoo[ray]'") from error

    device = options.get("device", "auto") if num_gpus else "cpu"
    request = Request.of(run, head_of(dataset), {**options, "device": "cpu", "num_workers": 0})
    job = replace(request.job, run=str(Path(run).expanduser().resolve()), device=device)
    fewest, most = (concurrency, concurrency) if isinstance(concurrency, int) else concurrency
    warn_of_waiting(fewest * num_cpus)
    return dataset.map_batches(
        BatchPredictor,
        fn_constructor_args=(job, replace(request.rows, source=pd.DataFrame(columns=request.rows.columns)), num_cpus),
        batch_format="pyarrow",
        batch_size=request.options.chunk_size,
        compute=ActorPoolStrategy(min_size=fewest, max_size=most),
        num_cpus=num_cpus,
        num_gpus=num_gpus,
    )


def head_of(dataset: ray.data.Dataset) -> pd.DataFrame:
    """Return the first rows, as files give them.

    Raises:
        InferenceError: There are none.
    """
    try:
        return frame_of(dataset.take_batch(HEAD, batch_format="pyarrow"))
    except ValueError as error:  # Ray's for no rows
        raise InferenceError("the data set has no rows: nothing to predict") from error


def warn_of_waiting(wanted: float) -> None:
    """Warn where actors take all cores that the cluster has now: no task could read the rows that they wait for."""
    import ray

    cores = ray.cluster_resources().get("CPU", 0)
    if wanted >= cores:
        warnings.warn(
            f"the actors take {wanted:g} cores and the cluster has {cores:g}, so that none is left to read the rows: "
            "give a smaller concurrency or num_cpus, unless the cluster grows",
            stacklevel=3,
        )


@dataclass
class BatchPredictor:
    """Actor that predicts batches.

    Args:
        job: What it predicts, and how.
        rows: Which columns hold what.
        num_threads: Of torch.
    """

    job: Job
    rows: data.RowStream
    num_threads: float

    def __post_init__(self) -> None:
        import torch

        from zoo.runs.process import tune_process

        tune_process()
        torch.set_num_threads(max(1, int(self.num_threads)))
        self.learner = self.job.load()

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Return a batch of rows (n) with their predictions."""
        import pyarrow

        frame = frame_of(batch)
        if not len(frame):
            return batch
        (chunk,) = replace(self.rows, source=frame, chunk_size=len(frame))
        added = predict_rows(self.learner, chunk.molecules, self.job)
        taken = list(frame.columns)
        for name in added.columns:
            taken.append(free_name(name, taken))
        added.columns = taken[frame.shape[1] :]
        complete = pd.concat([frame, added.reset_index(drop=True)], axis=1)
        schema = schema_of(complete, dict(zip(batch.column_names, batch.schema.types, strict=True)))
        return pyarrow.Table.from_pandas(complete, schema=schema, preserve_index=False).replace_schema_metadata(None)
