"""The server as a process: tokens, health, metrics, jobs, hanging molecules, and its end."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from serving.conftest import Running

from zoo.commands.main import main
from zoo.serving import Refusal, ServeOptions, guards, make_app
from zoo.serving.child import Child
from zoo.serving.crew import Crew
from zoo.serving.forms import How
from zoo.serving.jobs import Jobs
from zoo.serving.metrics import Metrics
from zoo.serving.refusal import without_paths
from zoo.serving.service import Service, name_runs
from zoo.serving.work import OpenUpload, SketchStart

TOKEN = "correct-horse-battery"


def test_a_token_is_asked_for_in_a_header_or_a_session(runs):
    running = Running([str(runs[1])], {"MOLZOO_TOKEN": TOKEN})
    try:
        with running.client() as client:
            for path in ("/api/runs", "/metrics", "/api/structure.svg?molecule=C", "/api/jobs/x"):
                assert client.get(path).status_code == 401
            assert client.get("/").status_code == client.get("/health/ready").status_code == 200
            assert client.get("/api/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401
            assert client.get("/api/runs", headers={"Cookie": 'molzoo_session="";;=,'}).status_code == 401
            assert client.get("/api/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
            assert client.post("/api/login", json={"token": "wrong"}).status_code == 401
            answer = client.post("/api/login", json={"token": TOKEN})
            assert (answer.status_code, client.get("/api/runs").status_code) == (204, 200)
            cookie = answer.headers["set-cookie"].lower()
            assert TOKEN not in cookie
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
    finally:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 0


def test_metrics_count_rows_and_errors(client):
    before = client.get("/metrics").text
    client.post("/api/predict", json={"molecules": ["CCO", "bad"], "runs": ["alcohols"]})
    after = client.get("/metrics").text

    def value(text, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    for name, step in {
        'molzoo_rows_total{run="alcohols"}': 2,
        'molzoo_rows_failed_total{run="alcohols"}': 1,
        'molzoo_requests_total{route="/api/predict",status="200"}': 1,
        'molzoo_request_seconds_count{route="/api/predict"}': 1,
    }.items():
        assert value(after, name) - value(before, name) == step, name
    for line in after.splitlines():
        assert line.startswith("#") or re.fullmatch(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.e+-]+', line), line


def test_every_answer_has_the_headers_of_safety(client):
    for path in ("/", "/api/runs", "/nothing", "/docs", "/static/app.js"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_the_interface_is_described(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/runs", "/api/predict", "/api/explain", "/api/jobs", "/api/jobs/{job}/table.csv", "/metrics"} <= set(
        paths
    )
    assert all(operation.get("summary") for methods in paths.values() for operation in methods.values())


def test_a_job_is_cancelled_and_forgotten(client):
    body = b"smiles\n" + b"CCO\n" * 3000
    job = client.post("/api/jobs", params={"name": "a.csv"}, content=body).json()["job"]
    assert client.get(f"/api/jobs/{job}/table.csv").status_code in (200, 409)
    assert client.delete(f"/api/jobs/{job}").status_code == 204
    assert client.get(f"/api/jobs/{job}").status_code == 404


@pytest.fixture
def jobs(runs):
    """Jobs of a server whose processes are not started, with a clock that the test sets."""
    clock = [0.0]
    service = Service([runs[1]], ServeOptions(max_jobs=2, patience=5, keep_minutes=1))
    service.facts = {"b-plain": {"domain": None, "uncertainty": [], "intervals": False}}
    return Jobs(service, lambda: clock[0]), clock


def test_jobs_are_bounded_in_number_and_time(jobs):
    jobs, clock = jobs

    async def try_it():
        started = [jobs.begin(OpenUpload(str(jobs.reserve()), "a.csv", {}, 10), ["b-plain"], How()) for _ in range(2)]
        with pytest.raises(Refusal) as full:
            jobs.reserve()
        assert full.value.status_code == 429
        clock[0] = 4.0
        jobs.find(started[0].id)
        clock[0] = 6.0
        jobs.tidy()
        assert [job.state for job in started] == ["waiting", "cancelled"]
        arriving = jobs.reserve()
        with pytest.raises(Refusal, match="2 jobs are running"):
            jobs.reserve()
        jobs.release(arriving)
        assert list(jobs.jobs) == [started[0].id]
        jobs.end(started[0], "done")
        clock[0] = 67.0
        jobs.tidy()
        assert not jobs.jobs
        await jobs.stop()
        assert not jobs.folder.exists()

    asyncio.run(try_it())


class Sleep:
    """Question that takes too long."""

    def answer(self, state):
        time.sleep(60)


class Crash:
    """Question that ends the process."""

    def answer(self, state):
        import os

        os._exit(139)


class Echo:
    """Question that is answered."""

    def answer(self, state):
        return "here"


class Fault:
    """Question that raises what nobody expects."""

    def answer(self, state):
        raise RuntimeError("secret of the host")


def test_a_process_that_hangs_or_crashes_is_started_anew(capfd):
    async def try_it():
        child = Child("it", SketchStart(), 0.5)
        await child.start()
        try:
            for question, status in ((Sleep(), 504), (Crash(), 500), (Fault(), 500)):
                with pytest.raises(Refusal) as failure:
                    await child.ask(question)
                assert failure.value.status_code == status
                assert "secret" not in failure.value.detail
                child.seconds = 30
                assert await child.ask(Echo()) == "here"
                child.seconds = 0.5
            assert child.restarts == 2
        finally:
            await child.stop()

    asyncio.run(try_it())
    assert "secret of the host" in capfd.readouterr().err


def test_a_crew_gives_each_question_to_the_least_busy():
    members = [Child("it", SketchStart(), 1.0) for _ in range(3)]
    members[0].waiting = members[2].waiting = 1
    crew = Crew(members)
    assert crew.pick() is members[1]
    assert (crew.waiting, crew.ready, crew.pids) == (2, False, [])


def test_mistakes_are_one_line(runs, capsys, tmp_path, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        short = tmp_path / "token"
        short.write_text("short")
        cases = {
            (str(runs[1]), "--port", port): f"127.0.0.1:{port} is in use: give another --port",
            (str(runs[1]), "--port", "70000"): "give a number below 65,536",
            (str(runs[1]), "--host", "192.0.2.1", "--port", "0"): "cannot be used",
            (str(tmp_path / "nothing"), "--port", "0"): "holds no checkpoint",
            (str(runs[1]), "--token-file", str(short)): "give at least 16",
            (str(runs[1]), "--token-file", str(tmp_path / "nothing")): "No such file",
            (str(runs[1]), "--max-atoms", "0"): "max",
        }  # fmt: skip
        for arguments, words in cases.items():
            with pytest.raises(SystemExit) as stop:
                main(["serve", *arguments])
            lines = capsys.readouterr().err.strip().splitlines()
            assert stop.value.code == 2
            assert lines[-1].startswith("molzoo: error: "), lines
            assert words in lines[-1]
            assert len(lines) <= 2


def test_names_and_texts():
    assert name_runs(["a/gcn", "b/gcn", "c/gcn", "d/x y"]) == ["gcn", "gcn-2", "gcn-3", "x-y"]
    assert without_paths(r"C:\Users\ann\runs\x: no, and ../../data/y.csv, C/C=C/C") == "x: no, and y.csv, C/C=C/C"
    metrics = Metrics()
    metrics.time("/", 0.02)
    assert 'molzoo_request_seconds_bucket{route="/",le="0.025"} 1' in metrics.to_text({})
    with pytest.raises(ValueError, match="at least one run"):
        make_app([])


def test_the_server_reads_neither_torch_nor_models():
    """It answers while its runs are busy, and stays small."""
    code = "import sys, zoo.serving.server; print('torch' in sys.modules, 'rdkit' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_a_body_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(guards, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(guards, "DRAIN_SECONDS", 0.05)
    sent = []

    async def reader(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    async def drip():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message):
        sent.append(message)

    guard = guards.Guard(reader, ServeOptions(), guards.Keys(None), Metrics())
    scope = {"type": "http", "method": "POST", "path": "/api/jobs", "headers": [(b"host", b"localhost")]}
    asyncio.run(guard(scope, drip, send))
    assert sent[0]["status"] == 408
