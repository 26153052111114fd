"""Windows and macOS, simulated on Linux: missing modules, names of files, open files, spawned workers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.commands.main import main
from zoo.runs.json_files import write_text
from zoo.runs.names import safe_name

ROOT = Path(zoo.__file__).resolve().parents[1]
ELSEWHERE = Path(__file__).parent / "support" / "elsewhere"
QUICK = ["--model", "gcn", "--model-args.hidden_size", "8", "--split", "random", "--epochs", "1"]
COMMANDS = [
    ["train", "--data", "few.csv", *QUICK, "--output", "runs/one", "--no-card", "--quiet"],
    ["train", "--resume", "runs/one", "--epochs", "2", "--no-card", "--quiet"],
    ["predict", "runs/one", "few.csv", "--output", "predicted.csv"],
    ["predict", "runs/one", "few.csv", "--output", "shards", "--shards", "2"],
    ["evaluate", "runs/one", "--part", "test", "--output", "metrics.csv"],
]
EXTRAS = ["fastapi", "starlette", "pydantic", "uvicorn", "pyarrow", "openpyxl", "optuna", "ray", "onnx"]
SCRIPT = f"""
import importlib, json, os, pkgutil
os.environ["MOLZOO_TRACEBACK"] = "1"
import featurizers, optim, zoo
for package in (featurizers, optim, zoo):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            module.name.endswith("__main__") or importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in {EXTRAS}:
                raise
from zoo.commands.main import main
from zoo.runs import process
for command in {COMMANDS}:
    main(command)
print(json.dumps({{"name": process.os.name, "platform": process.sys.platform, "cores": process.available_cores()}}))
"""


@pytest.fixture(scope="module", params=["win32", "darwin"])
def elsewhere(request, tmp_path_factory) -> tuple[str, Path, dict[str, object]]:
    """System, folder and what the script printed last, after all commands ended well there."""
    folder = tmp_path_factory.mktemp(request.param)
    rows = "".join(f"{'C' * length}O,{length % 2}\n" for length in range(1, 41))
    (folder / "few.csv").write_text("smiles,y\n" + rows, encoding="utf-8")
    environment = {
        **os.environ,
        "MOLZOO_SIMULATE": request.param,
        "MOLZOO_SIMULATE_IN": str(folder),
        "PYTHONPATH": os.pathsep.join([str(ELSEWHERE), str(ROOT)]),
        "PYTHONWARNDEFAULTENCODING": "1",
    }
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return request.param, folder, json.loads(done.stdout.splitlines()[-1])


def test_all_modules_and_the_first_commands_work_there(elsewhere):
    system, folder, seen = elsewhere
    assert seen["platform"] == system
    assert seen["name"] == {"win32": "nt", "darwin": "posix"}[system]
    assert seen["cores"] == os.cpu_count()  # neither has sched_getaffinity
    assert len((folder / "predicted.csv").read_text(encoding="utf-8").splitlines()) == 41
    assert len(list((folder / "shards").glob("*.parquet"))) == 2
    assert "roc_auc" in (folder / "metrics.csv").read_text(encoding="utf-8")


def test_nothing_unfinished_is_left_there(elsewhere):
    system, folder, _ = elsewhere
    left = [path.name for path in folder.rglob("*") if ".part" in path.name or path.name.startswith(".")]
    if system == "win32":  # removes no open files; the lock that filelock has there removes its file by itself
        left = [name for name in left if not name.endswith(".lock")]
    assert left == []


@pytest.mark.parametrize("arguments", [["list"], ["describe", "graphsam"], ["--help"]], ids=" ".join)
def test_letters_that_a_pipe_of_windows_lacks_are_escaped(arguments):
    """Windows encodes what goes to a file or pipe as cp1252, which has neither α nor ρ."""
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "ρ" not in done.stdout.decode("cp1252")
    assert arguments != ["list"] or "\\u03b1" in done.stdout.decode("cp1252")


def test_line_ends_of_tables_are_written_once(tmp_path, monkeypatch):
    """Where pandas ends lines by CR LF, as on Windows, files have neither empty lines nor CR CR LF."""
    monkeypatch.setattr(os, "linesep", "\r\n")
    write_text(tmp_path / "table.csv", "a,b\r\n1,2\r\n")
    assert (tmp_path / "table.csv").read_bytes() == b"a,b\r\n1,2\r\n"


@pytest.mark.parametrize("name", ["con", "NUL", "aux.csv", "COM1", "lpt9.tar.gz", "a:b", "what?", "dot."])
def test_names_of_files_exist_on_windows(name):
    made = safe_name(name)
    assert made.partition(".")[0].lower() not in ("con", "nul", "aux", "com1", "lpt9")
    assert not set(made) & set('<>:"/\\|?*')
    assert not made.endswith((".", " "))


@pytest.mark.parametrize("name", ["console", "nullable", "com", "b3db-gcn-seed0"])
def test_other_names_stay(name):
    assert safe_name(name) == name


def test_stubs_are_ascii():
    """lazy_loader opens them in the encoding of the system."""
    stubs = [stub for package in ("zoo", "optim", "featurizers") for stub in (ROOT / package).rglob("*.pyi")]
    assert stubs
    assert [stub.name for stub in stubs if not stub.read_bytes().isascii()] == []


def test_predictions_of_text_files_need_no_pyarrow(tmp_path, monkeypatch):
    zoo.build("gcn", model_args={"hidden_size": 8}).save(tmp_path / "run")
    (tmp_path / "one.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    main(["predict", str(tmp_path / "run"), str(tmp_path / "one.csv"), "--output", str(tmp_path / "found.csv")])
    assert len((tmp_path / "found.csv").read_text(encoding="utf-8").splitlines()) == 2
