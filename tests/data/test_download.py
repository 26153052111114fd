"""The downloader against a server on localhost that does what servers do on bad days."""

from __future__ import annotations

import gzip
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from zoo.data import DataError, load
from zoo.data.reading.download import Patience, dataset_cache, fetch
from zoo.data.reading.sets import KNOWN_SETS

TABLE = ("num,name,p_np,smiles\n" + "".join(f"{i},m{i},{i % 2},{'C' * (i % 30 + 1)}\n" for i in range(3000))).encode()
HURRY = Patience(attempts=4, timeout=0.3)
BBBP, TOX21 = KNOWN_SETS["bbbp"], KNOWN_SETS["tox21"]


class Server(ThreadingHTTPServer):
    """Answers request after request as `script` says, the last word for all that follow; `requests` keeps a log."""

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.script, self.requests, self.release = files, ["whole"], [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/datasets"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        name = self.path.rsplit("/", 1)[1]
        server.requests.append(name)
        word = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        if name not in server.files or isinstance(word, int):
            return self.send_error(word if isinstance(word, int) else 404)
        self.send_response(200)
        rest = server.files[name]
        if word == "page":
            rest = b"<html>please log in</html>"
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if word in ("cut", "stall"):
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            if word == "stall":
                server.release.wait(10)
            return None
        self.wfile.write(rest)
        return None


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("MOLZOO_DATA", raising=False)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    running = Server({"BBBP.csv": TABLE, "tox21.csv.gz": gzip.compress(TABLE)})
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.release.set()
    running.shutdown()
    running.server_close()


def get(server, tmp_path, entry=BBBP):
    return fetch(entry, base_url=server.url, cache=tmp_path, patience=HURRY)[0]


def files_in(path):
    return sorted(file.name for file in path.iterdir())


def test_downloaded_once(server, tmp_path):
    assert get(server, tmp_path).read_bytes() == TABLE
    assert get(server, tmp_path).read_bytes() == TABLE
    assert server.requests == ["BBBP.csv"]
    assert files_in(tmp_path) == ["BBBP.csv", "BBBP.csv.sha256"]


@pytest.mark.parametrize("word", ["cut", "stall"])
def test_a_broken_connection_is_tried_again(word, server, tmp_path):
    server.script = [word, word, "whole"]
    assert get(server, tmp_path).read_bytes() == TABLE
    assert len(server.requests) == 3
    assert files_in(tmp_path) == ["BBBP.csv", "BBBP.csv.sha256"]


def test_passing_errors_are_tried_again(server, tmp_path):
    server.script = [503, 429, 500, "whole"]
    assert get(server, tmp_path).read_bytes() == TABLE


@pytest.mark.parametrize(
    ("script", "message", "requests"),
    [
        ([503], "503.*4 attempts.*MOLZOO_DATA", 4),
        (["cut", "cut", "cut", "cut"], "4 attempts.*try again later, or offline get BBBP.csv", 4),
        ([400], "400", 1),
        ([404], "has no BBBP.csv", 2),
        ([403], "has no BBBP.csv", 2),
        (["page"], r"not BBBP.csv.*<html>please", 1),
    ],
)
def test_failures_leave_nothing_and_say_what_to_do(script, message, requests, server, tmp_path):
    server.script = script
    with pytest.raises(DataError, match=message) as caught:
        get(server, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(server.requests) == requests
    assert files_in(tmp_path) == []


def test_a_file_without_a_checksum_is_not_trusted(server, tmp_path):
    (tmp_path / "BBBP.csv").write_bytes(TABLE[:100])
    assert get(server, tmp_path).read_bytes() == TABLE
    assert len(server.requests) == 1


def test_nothing_is_printed_but_the_bar(server, tmp_path, capfd):
    get(server, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    with pytest.raises(DataError, match=r"offline get BBBP.csv by other means.*'b3db' needs no download"):
        fetch(BBBP, base_url="http://127.0.0.1:9", cache=tmp_path, patience=replace(HURRY, attempts=2))


def test_a_damaged_cache_is_downloaded_again(server, tmp_path):
    get(server, tmp_path).write_bytes(TABLE[:100])
    assert get(server, tmp_path).read_bytes() == TABLE
    assert len(server.requests) == 2


def test_packed_files(server, tmp_path):
    entry = replace(TOX21, smiles_column="smiles")
    path = get(server, tmp_path, entry)
    assert gzip.decompress(path.read_bytes()) == TABLE
    server.files["tox21.csv.gz"] = gzip.compress(TABLE)[:-9]
    path.unlink()
    with pytest.raises(DataError, match="damaged"):
        get(server, tmp_path, entry)
    server.files = {"tox21.csv": TABLE}
    assert get(server, tmp_path, entry).name == "tox21.csv"


def test_another_content_than_tested_is_said_but_accepted(server, tmp_path):
    _, notes = fetch(BBBP, base_url=server.url, cache=tmp_path, patience=HURRY)
    assert "not byte for byte" in notes[0]


def test_load_downloads(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MOLZOO_CACHE", str(tmp_path))
    data = load("bbbp", base_url=server.url)
    assert len(data) == 3000
    assert dataset_cache() == tmp_path / "datasets"
    monkeypatch.setenv("MOLZOO_DATA_URL", "http://127.0.0.1:9")
    assert len(load("bbbp")) == 3000


def test_a_full_disk_is_told(server, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    with pytest.raises(DataError, match="No space left on device"):
        get(server, tmp_path)
    assert files_in(tmp_path) == []
