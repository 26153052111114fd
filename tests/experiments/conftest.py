from __future__ import annotations

import pytest
from support.invented_rows import invented

from zoo.experiments import ResultsFolder, Sweep
from zoo.experiments.sweep.rows import write_table

SPECIFICATION = """
name: two sets
seeds: [0, 1, 2]
reference: adam
models:
  grover: {args: {hidden_size: 8, num_layers: 2}}
  random_forest: {args: {num_trees: 10, num_jobs: 1}}
optimizers: [adam, sam, graphsam]
datasets:
  b3db: {max_molecules: 40}
  esol: {}
training: {epochs: 2}
published:
  source: A. Paper
  scores: {grover: {b3db: [0.9, 0.01]}}
"""


@pytest.fixture
def sweep() -> Sweep:
    return Sweep.parse(SPECIFICATION)


@pytest.fixture
def results(tmp_path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "results")


@pytest.fixture
def filled(sweep, results) -> ResultsFolder:
    runs = sweep.runs()
    results.note_sweep(sweep, runs, "molzoo benchmark two.yaml --workers 1")
    write_table(results.table, [invented(run) for run in runs])
    return results


@pytest.fixture(scope="module")
def no_pages():
    """Members write no pages for TensorBoard, which take most of the time of runs as small as these."""
    with pytest.MonkeyPatch.context() as patch:
        for page in ("write_test_pages", "write_metrics"):
            patch.setattr(f"zoo.views.tensorboard_pages.{page}", lambda *args: None)
        yield


@pytest.fixture(scope="module")
def few(b3db):
    """Some of the embedded molecules, evenly spread."""
    return b3db.subset(range(0, len(b3db), 80))
