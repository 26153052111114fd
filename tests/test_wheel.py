"""The wheel: it has every file of the packages and nothing else, is the same when built again, and works alone."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.places import ROOT
from support.smoke import QUICK, check_predictions, run_commands

import zoo

pytest.importorskip("build")
PACKAGES = [folder.parent.name for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests"]
FILES = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")
DISCARDED = shutil.ignore_patterns("__pycache__", "*.pyc")
GCN = ("--model", "gcn", "--model-args.hidden_size", "8", "--epochs", "1", "--output", "runs/gcn")


def build_wheel(folder: Path) -> Path:
    """Build a wheel from a copy of the packages, without a network."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=DISCARDED)
    for name in FILES:
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(wheel):
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = wheel.parent / "source"
    files = {file.relative_to(source).as_posix() for name in PACKAGES for file in (source / name).rglob("*")}
    assert found == {name for name in files if (source / name).is_file()}
    assert {f"{name}/py.typed" for name in ("zoo", "optim", "featurizers")} <= found


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = archive.read(next(name for name in names if name.endswith("dist-info/METADATA"))).decode()
        scripts = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0" in about
    assert "molzoo = zoo.commands.main:main" in scripts


def test_the_same_files_give_the_same_bytes(wheel, tmp_path):
    assert build_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_alone_trains_and_predicts(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "unpacked"), "PYTHONSAFEPATH": "1"}
    where = [sys.executable, "-c", "import zoo; print(zoo.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(tmp_path)
    commands = [("train", *QUICK, *GCN), ("predict", "runs/gcn", "few.csv", "--output", "predicted.csv")]
    assert len(list(run_commands(tmp_path, environment, commands))) == 2
    check_predictions(tmp_path / "few.csv", tmp_path / "predicted.csv")


def test_the_image_gets_every_package_and_file_that_the_wheel_is_built_of():
    copied = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    passed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert set(PACKAGES) >= {"zoo", "optim", "featurizers"}
    for name in PACKAGES:
        assert f"COPY {name} ./{name}\n" in copied
    for name in [*PACKAGES, *FILES, "constraints.txt"]:
        assert f"!{name}" in passed
        assert name in copied


def test_the_citation_has_the_version_of_the_package():
    assert f"version: {zoo.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
