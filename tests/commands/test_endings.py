"""How commands end: by faults of users, of the machine and of ours, by signals, and without a reader."""

from __future__ import annotations

import binascii
import csv
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
import zlib
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
import torch
import yaml
from safetensors import SafetensorError

from featurizers.backend import DGLError
from zoo.commands import list as list_command
from zoo.commands.main import GOES_ON, main

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--model", "gcn", "--model-args.hidden_size", "8", "--split", "random", "--epochs", "1"]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("few") / "few.csv"
    path.write_text("smiles,y\n" + "".join(f"{'C' * n},{n % 2}\n" for n in range(1, 41)))
    return path


def ending(monkeypatch, capsys, error, *arguments) -> tuple[int, str]:
    """Status and standard error of a command that meets an exception."""

    def fail(_):
        raise error

    monkeypatch.setattr(list_command, "main", fail)
    with pytest.raises(SystemExit) as stop:
        main(["list", *arguments])
    return stop.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed"),
        SafetensorError("Error while deserializing header: HeaderTooLarge"),
        yaml.YAMLError("did not find expected node"),
        csv.Error("line contains NUL"),
        sqlite3.DatabaseError("file is not a database"),
        zipfile.BadZipFile("File is not a zip file"),
        zlib.error("Error -3 while decompressing data"),
        binascii.Error("Incorrect padding"),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        RecursionError("maximum recursion depth exceeded"),
        BrokenProcessPool("A process in the process pool was terminated abruptly"),
        OSError(errno.ENOSPC, "No space left on device", "runs/a/history.csv"),
        PermissionError(errno.EACCES, "Permission denied", "runs/a"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        ValueError("x" * 100_000),
    ],
    ids=lambda error: type(error).__name__,
)
def test_users_and_machines_get_one_line(error, monkeypatch, capsys):
    status, text = ending(monkeypatch, capsys, error, "some/file.csv")
    assert status == 2
    assert text.startswith("molzoo: error: ")
    assert text.count("\n") == 1
    assert len(text) < 1000


@pytest.mark.parametrize(
    "error", [KeyError("x"), IndexError("3"), AttributeError("'int' has no 'x'"), AssertionError(), TypeError("int()"),
              ZeroDivisionError(), RuntimeError("shapes differ"), DGLError("Expect number of features")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_our_own_faults_get_a_report_and_say_where_to_send_it(error, monkeypatch, capsys):
    status, text = ending(monkeypatch, capsys, error)
    assert status == 1
    assert "a fault of molzoo" in text
    assert type(error).__name__ in text
    assert "open an issue" in text
    assert "MOLZOO_TRACEBACK=1" in text
    assert "Traceback" not in text
    assert text.count("\n") <= 5


def test_a_trace_is_shown_on_request(monkeypatch):
    monkeypatch.setenv("MOLZOO_TRACEBACK", "1")
    monkeypatch.setattr(list_command, "main", lambda _: [][1])
    with pytest.raises(IndexError):
        main(["list"])


def test_files_and_remedies_are_named(monkeypatch, capsys):
    error = OSError(errno.ENOSPC, "No space left on device", "runs/a/history.csv")
    assert ending(monkeypatch, capsys, error)[1] == (
        "molzoo: error: runs/a/history.csv: No space left on device: free some space, or write elsewhere\n"
    )
    assert "file.npz" in ending(monkeypatch, capsys, zipfile.BadZipFile("File is not a zip file"), "file.npz")[1]
    assert "--batch-size" in ending(monkeypatch, capsys, MemoryError())[1]


@pytest.mark.parametrize("command", ["train", "predict", "list", "sharpness"])
def test_the_advice_after_ctrl_c_is_that_of_the_command(command, monkeypatch, capsys):
    import importlib

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module(f"zoo.commands.{command}"), "main", interrupt)
    with pytest.raises(SystemExit) as stop:
        main([command])
    assert stop.value.code == 130
    text = capsys.readouterr().err
    assert ("--resume" in text) == (command == "train")
    assert ("same command" in text) == (command == "predict")


def start(arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", "zoo", *map(str, arguments)], env=environment, cwd=ROOT, **options)


def test_training_goes_on_without_a_reader(few, tmp_path):
    """As in `molzoo train | head -1`, with progress on the same pipe."""
    process = start(["train", "--data", few, *QUICK, "--output", tmp_path / "run"], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT)  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(300) == 0
    assert (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_training_goes_on_when_its_output_is_full(few, tmp_path):
    with open("/dev/full", "w") as full:
        process = start(["train", "--data", few, *QUICK, "--output", tmp_path / "run"], stdout=full,
                        stderr=subprocess.PIPE, text=True)  # fmt: skip
        errors = process.communicate(timeout=300)[1]
    assert process.returncode == 0
    assert (tmp_path / "run" / "metrics.json").exists()
    assert "standard output: No space left on device" in errors


def test_a_command_that_only_prints_says_that_its_reader_has_gone():
    process = start(["list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.wait(120) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_is_no_obstacle(name, monkeypatch):
    """As in `molzoo list >&-`, for which Python gives no stream at all."""
    monkeypatch.setattr(sys, name, None)
    main(["list"])
    assert getattr(sys, name) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_command_cleanly(number):
    code = "import sys, time; from zoo.commands import list, main; list.main = lambda _: (print('on', flush=True), time.sleep(60)); main.main(['list'])"  # noqa: E501
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:  # fmt: skip
        assert process.stdout.readline() == "on\n"
        begin = time.monotonic()
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert errors == f"stopped by {number.name}\n"
    assert time.monotonic() - begin < 30


def test_escapes_in_what_files_hold_do_not_reach_the_terminal(monkeypatch, capsys):
    monkeypatch.setattr(list_command, "main", lambda _: print("name \x1b[31m\x9b2J red"))
    main(["list"])
    assert capsys.readouterr().out == "name \\x1b[31m\\x9b2J red\n"


def test_commands_that_go_on_are_commands():
    from zoo.commands.main import COMMANDS

    assert GOES_ON.keys() <= COMMANDS.keys()


def test_the_version_names_the_backend(capsys):
    main(["--version"])
    import zoo

    assert capsys.readouterr().out.startswith(f"molzoo {zoo.__version__} (")
