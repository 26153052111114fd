"""Requests that a server refuses: in JSON, with a remedy, without anything about the host."""

import gzip
import json
import socket

import pytest

EVIL = "<img src=x onerror=alert(1)>"


def fails(answer, status, words=""):
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 422, "JSON"),
        (b"", 422, "required"),
        (b"\xff\xfe", 422, "JSON"),
        (b'{"molecules": "CCO"}', 422, "molecules: Input should be a valid list"),
        (b'{"molecules": []}', 422, "at least 1 item"),
        (b'{"molecules": [1, null]}', 422, "valid string"),
        (b'{"molecules": ["CCO"], "domain": "perhaps"}', 422, "domain"),
        (b'{"molecules": ["CCO"], "coverage": 1.5}', 422, "less than 1"),
        (b'{"molecules": ["CCO"], "coverage": NaN}', 422, "coverage"),
        (b'{"molecules": ["CCO"], "neighbors": 1e400}', 422, "neighbors"),
        (b'{"molecules": ["CCO"], "depth": 1}', 422, "depth: Extra inputs"),
        (b'{"molecules": ["CCO"], "runs": ["alcohol"]}', 404, "did you mean 'alcohols'?"),
        (b'{"molecules": ["CCO"], "uncertainty": "__class__"}', 404, "no estimator '__class__'"),
        (b'{"molecules": ["CCO"], "features": {"T": [1]}}', 400, "features"),
        (b'{"molecules": ["CCO"], "features": {"T": [1, 2]}}', 422, "as many numbers"),
        (b'{"molecules": [["CCO", "CC"]]}', 422, "one molecule in a row"),
        (b"[" * 100_000, 400, "body"),
        (b'{"molecules": ' + b'{"a":' * 50_000, 400, "body"),
        (json.dumps({"molecules": ["C"] * 1501}).encode(), 413, "1,501 molecules"),
        (b'{"molecules": ["' + b"C" * 1_000_001 + b'"]}', 413, "1 MB"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_malformed_and_huge_requests(body, status, words, client):
    fails(client.post("/api/predict", content=body, headers={"Content-Type": "application/json"}), status, words)
    assert client.get("/health/ready").status_code == 200


def test_a_body_without_a_length_is_counted_as_it_comes(client):
    answer = client.post("/api/jobs", params={"name": "a.csv"}, content=iter([b"smiles\n", *[b"CCO\n" * 1000] * 300]))
    fails(answer, 413, "1 MB")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"a,b\n1,2\n", ""),
        ("a.csv", b"smiles\n", "no rows"),
        ("a.csv", b"smiles,x\nCCO\nCC,1,2,3\n", ""),
        ("a.csv", b"\x00\x01\x02" * 1000, ""),
        ("a.sdf", b"$$$$\n" * 3, ""),
        ("a.csv", b"smiles\n" + b"C\n" * 3001, "3,001 rows, and this server takes 3,000"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_files_that_cannot_be_read(name, content, words, upload, server):
    job = upload(name, content, run="alcohols")
    if job["state"] == "done":  # read in some way: then every row has its reason
        assert job["failed"] == job["total"]
        return
    assert job["state"] == "failed"
    assert words in job["error"]
    assert "/" not in job["error"].replace("CSV/", ""), job["error"]


@pytest.mark.parametrize(
    ("values", "headers", "status", "words"),
    [
        ({}, {}, 422, "name"),
        ({"name": "a.exe"}, {}, 415, ".csv"),
        ({"name": "a.csv.gz"}, {}, 415, ".csv"),
        ({"name": "a.csv", "run": "nobody"}, {}, 404, "no run"),
        ({"name": "a.csv", "separator": "|"}, {}, 422, "comma"),
        ({"name": "a.csv"}, {"Content-Type": "multipart/form-data"}, 415, "--data-binary"),
        ({"name": "a.csv", "neighbors": "11"}, {}, 422, "neighbors"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_uploads_that_are_refused(values, headers, status, words, client):
    fails(client.post("/api/jobs", params=values, content=b"smiles\nCCO\n", headers=headers), status, words)


def test_a_compressed_file_is_refused_whatever_its_name(client):
    answer = client.post("/api/jobs", params={"name": "a.csv"}, content=gzip.compress(b"smiles\nCCO\n"))
    fails(answer, 415, "unpack it")


def test_letters_that_are_no_text_are_a_row_with_its_reason(client):
    """Half a surrogate pair, a zero, a direction mark, emojis of many bytes."""
    molecules = ["\ud800", "C\x00C", "C\u202eC", "\U0001f9ea" * 1000]
    answer = client.post(
        "/api/predict",
        content=json.dumps({"molecules": molecules, "runs": ["alcohols"]}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    assert all(row["reason"] for row in answer.json()["runs"][0]["rows"])


def test_names_of_files_are_names_and_nothing_else(upload):
    job = upload("../../etc/evil\x00\n.csv", b"smiles\nCCO\n", run="alcohols")
    assert (job["name"], job["state"]) == ("evil.csv", "done")


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/..%5c..%5capp.py", "//etc/passwd",
     "/static//etc/passwd", "/static/page%00.html", "/api/runs/../../etc/card", "/api/runs/%2e%2e/card"],
)  # fmt: skip
def test_no_path_leads_out(path, server):
    """The path is sent as it stands: clients would tidy it."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(server, head.encode())
    assert answer.split(b" ")[1] == b"404", answer[:200]
    assert b"import" not in answer


def talk(server, data: bytes, half_closed: bool = False) -> bytes:
    """Send bytes and return what comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(data)
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        while block := connection.recv(65536):
            found += block
    return found


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"421"),
        (b"GET /api/runs HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n", b"421"),
        (b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bytes_that_are_no_request(data, status, server, client):
    assert talk(server, data).split(b" ")[1] == status
    assert client.get("/health/live").status_code == 200


def test_a_client_that_leaves_in_the_middle_is_no_trouble(server, client):
    talk(server, b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", half_closed=True)
    talk(server, b"GET / HT", half_closed=True)
    assert client.get("/health/ready").status_code == 200


def test_pages_of_other_sites_cannot_post(client):
    body = {"molecules": ["CCO"]}
    fails(client.post("/api/predict", json=body, headers={"Origin": "http://evil.example"}), 403)
    fails(client.post("/api/predict", json=body, headers={"Origin": "null"}), 403)
    fails(client.post("/api/predict", json=body, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    origin = str(client.base_url).rstrip("/")
    assert client.post("/api/predict", json=body, headers={"Origin": origin}).status_code == 200


def test_unknown_methods_and_pages(client):
    fails(client.get("/nothing"), 404)
    fails(client.delete("/api/predict"), 405)
    fails(client.get("/api/jobs/nothing"), 404, "no such job")
    fails(client.post("/api/explain", json={"molecule": "not one"}), 400)
    fails(client.post("/api/explain", json={"molecule": "CCO", "task": EVIL}), 400, "not a task")
    fails(client.post("/api/explain", json={"molecule": "CCO", "method": "masks"}), 404, "did you mean 'masking'?")
    fails(client.get("/api/structure.svg", params={"molecule": EVIL}), 400)


def test_nothing_names_a_place_on_this_machine(client, runs, upload):
    """Neither answers, nor headers, nor the card, whose commands and recipe hold paths."""
    folder = str(runs[0].parent)
    job = upload("a.csv", b"smiles\nCCO\nbad\n", domain=True)["job"]
    paths = ["/", "/docs", "/openapi.json", "/api/runs", "/metrics", "/api/runs/alcohols/card", f"/api/jobs/{job}",
             f"/api/jobs/{job}/rows", f"/api/jobs/{job}/table.csv", "/api/runs/b-plain/card"]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        text = answer.text + str(answer.headers)
        assert folder not in text, path
        assert "molzoo-serve-" not in text, path
    card = client.get("/api/runs/alcohols/card")
    assert "--recipe recipe.json" in card.text
    assert card.headers["content-security-policy"].startswith("sandbox;")
