"""Two small trained runs behind a server that the tests start once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest
from support.places import ROOT

import zoo
from zoo.trust import calibrate

ALCOHOLS = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1", "F") for n in range(1, 31)]

CARD = """<!doctype html><h1>gcn</h1><svg><title>/a/b/c</title></svg>
<code>molzoo train --recipe {folder}/recipe.json</code>
<pre>{{"source": "{folder}/alcohols.csv"}}</pre><script>alert(1)</script>"""


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A regression with domain, calibration and card, and a classification without any."""
    folder = tmp_path_factory.mktemp("served")
    table = pd.DataFrame({"smiles": ALCOHOLS, "logS": [len(smiles) / 3 for smiles in ALCOHOLS]})
    data = zoo.data.load(table, task="regression")
    parts = zoo.data.split_dataset(data, "random", fractions=(0.6, 0.2, 0.2), seed=0)
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8}, device="cpu")
    learner.fit(data, split=parts, epochs=2, progress=False)
    calibrate(learner, parts.valid)
    learner.save(folder / "alcohols")
    (folder / "alcohols" / "card.html").write_text(CARD.format(folder=folder))
    zoo.build("gcn", num_tasks=2, model_args={"hidden_size": 8}, seed=1, device="cpu").save(folder / "<b>plain")
    return folder / "alcohols", folder / "<b>plain"


class Running:
    """A server in a process of its own.

    Args:
        arguments: Of `molzoo serve`.
        environment: More variables.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "zoo", "serve", *arguments, "--port", "0", "--processes", "1"]
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths, **(environment or {})}
        )
        self.address = next(line.split()[0] for line in self.process.stdout if line.startswith("http"))
        self.port = int(self.address.rpartition(":")[2])

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, **options)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture(scope="session")
def server(runs):
    running = Running([*map(str, runs), "--max-atoms", "100", "--max-rows", "3000", "--max-molecules", "1500",
                       "--max-megabytes", "1", "--device", "cpu"])  # fmt: skip
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def upload(client):
    """Uploads a file, and returns its job once it has ended."""

    def send(name: str, content: bytes | Path, **values):
        body = content.read_bytes() if isinstance(content, Path) else content
        answer = client.post("/api/jobs", params={"name": name, **values}, content=body)
        assert answer.status_code == 202, answer.text
        while (job := client.get(f"/api/jobs/{answer.json()['job']}").json())["state"] in ("waiting", "running"):
            time.sleep(0.02)
        return job

    return send
