"""Processes that encode molecules start no threads of NumPy's linear algebra, which spin before they sleep."""

import os
import subprocess
import sys

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and needs fork")
CODE = """
import os
from featurizers import StructuralFeaturizer
from threadpoolctl import threadpool_info
from zoo.data.packing.encoding import encode_chunk
from zoo.data.packing.processes import ordered_map

def blas():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

def count(smiles):
    before = len(os.listdir("/proc/self/task"))
    encode_chunk(StructuralFeaturizer(num_vectors=2), (0, [smiles]))
    return len(os.listdir("/proc/self/task")) - before

before = blas()
for _ in range(2):
    print(*ordered_map(count, ["CCO", "c1ccccc1", "CC"], 2))
print(before == blas(), before)
"""


@linux
def test_no_thread_is_started_and_the_limit_ends_with_the_workers():
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    run = [sys.executable, "-c", CODE]
    printed = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.split("\n")
    assert printed[:2] == ["0 0 0"] * 2
    assert printed[2].startswith("True")
