"""Load on `molzoo serve` from 8 clients on this machine, next to the same predictions in Python, and a soak.

Prints JSON lines. Requests per second are of wall time, clients and server on the same cores; `cpu_ms` is the time of
the processor that the server and its processes took for a request, which other work on the machine changes less:

    python benchmarks/serving.py | tee benchmarks/results/serving.jsonl

Requests go to 127.0.0.1 only, and every part ends after `--seconds`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

import zoo

ROOT = Path(__file__).resolve().parents[1]
MOST_GROWTH = 0.05
WARM_UP = 500


class Server:
    """`molzoo serve` on a free port.

    Args:
        run: Folder of the run.
    """

    def __init__(self, run: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zoo", "serve", str(run), "--port", "0", "--device", "cpu"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.address = next(line.split()[0] for line in self.process.stdout if line.startswith("http"))

    def processes(self) -> list[psutil.Process]:
        """The server and its worker processes."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def cpu(self) -> float:
        """Processor time of all of them in seconds."""
        return sum(sum(each.cpu_times()[:2]) for each in self.processes())

    def memory(self) -> float:
        """Resident memory of all of them in MB."""
        return sum(each.memory_info().rss for each in self.processes()) / 1e6

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def load(server: Server, send: Callable[[httpx.Client, int], int], clients: int, requests: int, seconds: float) -> dict:
    """Send numbered requests from some clients at once.

    Args:
        server: Where to.
        send: Sends the request of a number, and returns the status that came back.
        clients: How many send at a time.
        requests: How many are sent at most.
        seconds: After which no more are sent.
    """
    numbers, times, errors = itertools.count(), list[float](), list[int]()
    lock, deadline = threading.Lock(), time.monotonic() + seconds

    def work(_: int) -> None:
        with httpx.Client(base_url=server.address, timeout=600) as client:
            while (number := next(numbers)) < requests and time.monotonic() < deadline:
                begin = time.perf_counter()
                status = send(client, number)
                with lock:
                    times.append(time.perf_counter() - begin)
                    if status != 200:
                        errors.append(status)

    cpu, begin = server.cpu(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))
    wall = time.perf_counter() - begin
    milliseconds = 1000 * np.array(times)
    return {
        "clients": clients,
        "requests": len(times),
        "errors": len(errors),
        "per_second": round(len(times) / wall, 2),
        "cpu_ms": round(1000 * (server.cpu() - cpu) / len(times), 2),
        "median_ms": round(float(np.median(milliseconds)), 1),
        "p95_ms": round(float(np.quantile(milliseconds, 0.95)), 1),
    }


def predict(smiles: list[str], size: int) -> Callable[[httpx.Client, int], int]:
    """Return a function that sends a request with the next molecules of a list."""

    def send(client: httpx.Client, number: int) -> int:
        start = number * size % (len(smiles) - size)
        return client.post("/api/predict", json={"molecules": smiles[start : start + size]}).status_code

    return send


def in_python(run: Path, smiles: list[str], size: int) -> float:
    """Processor time in ms of the same predictions without a server: the best of three."""
    learner, times = zoo.load(run, device="cpu"), []
    for _ in range(3):
        begin = time.process_time()
        learner.predictions(smiles[:size], batch_size=32)
        times.append(time.process_time() - begin)
    return round(1000 * min(times), 2)


def soak(server: Server, smiles: list[str], requests: int, seconds: float) -> dict[str, Any]:
    """Send some thousand requests of all kinds, wrong ones among them, and compare the memory before and after."""
    kinds = [
        lambda client, text: client.post("/api/predict", json={"molecules": [text]}).status_code == 200,
        lambda client, text: client.post("/api/predict", json={"molecules": [text, "bad"] * 20}).status_code == 200,
        lambda client, text: client.get("/api/structure.svg", params={"molecule": text}).status_code == 200,
        lambda client, text: client.post("/api/predict", content=b"{" + text.encode()).status_code == 422,
        lambda client, text: client.get(f"/api/jobs/{len(text)}").status_code == 404,
    ]

    def send(client: httpx.Client, number: int) -> int:
        return 200 if kinds[number % len(kinds)](client, smiles[number % len(smiles)]) else 500

    load(server, send, 8, WARM_UP, seconds)
    before = server.memory()
    found = load(server, send, 8, requests, seconds)
    after = server.memory()
    growth = round(after / before - 1, 4)
    missed = [] if growth < MOST_GROWTH and not found["errors"] else [f"growth < {MOST_GROWTH} and no errors"]
    memory = {"memory_mb_before": round(before), "memory_mb_after": round(after), "growth": growth}
    return {**found, **memory, "missed": missed}


def main() -> None:
    """Measure all models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["gcn", "grover"])
    parser.add_argument("--single", type=int, default=400, help="requests of one molecule")
    parser.add_argument("--batches", type=int, default=16, help="requests of 1,000 molecules")
    parser.add_argument("--soak", type=int, default=5000, help="requests of the soak, of the first model")
    parser.add_argument("--seconds", type=float, default=180, help="longest time of each part")
    options = parser.parse_args()
    data = zoo.data.load("b3db")
    smiles = [text for text in data.smiles if len(text) < 200]
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / model
            zoo.build(model, dataset=data, device="cpu").save(run)  # the weights do not change the time
            server = Server(run)
            try:
                for size, requests in {1: options.single, 1000: options.batches}.items():
                    if not requests:
                        continue
                    python = in_python(run, smiles, size)
                    for clients in (1, 8):
                        send, count = predict(smiles, size), requests if clients > 1 else max(requests // 4, 2)
                        found = load(server, send, clients, count, options.seconds)
                        share = {"python_cpu_ms": python, "ratio": round(found["cpu_ms"] / python, 2)}
                        print(json.dumps({"model": model, "molecules": size, **found, **share}), flush=True)
                if model == options.models[0] and options.soak:
                    found = soak(server, smiles, options.soak, options.seconds)
                    print(json.dumps({"model": model, "soak": True, **found}), flush=True)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
