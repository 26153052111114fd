from __future__ import annotations

import pytest
from support.invented_rows import invented

from zoo.experiments import ResultsStore, Sweep

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
def store(tmp_path) -> ResultsStore:
    return ResultsStore(tmp_path / "results.sqlite")


@pytest.fixture
def filled(sweep, store) -> ResultsStore:
    runs = sweep.runs()
    store.note_sweep(sweep, runs, "molzoo benchmark two.yaml --workers 1")
    for run in runs:
        store.append(invented(run))
    return store
