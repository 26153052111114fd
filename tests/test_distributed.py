"""Two processes give what one process gives with the same global batches."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODEL = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "dynamic_depth": None}

RISE = ["--optimizer", "sam", "--optimizer-args.rise", "0.5"]


def train(folder: Path, file: Path, *options: str, processes: int = 1) -> dict:
    program = [sys.executable, "-m", "zoo"]
    if processes > 1:
        program = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
            "-m",
            "zoo",
        ]
    command = [
        *program,
        "train",
        "--data",
        str(file),
        "--split",
        "random",
        "--epochs",
        "2",
        "--model-args",
        json.dumps(MODEL),
    ]
    subprocess.run([*command, "--output", str(folder), "--quiet", *options], check=True, cwd=ROOT, capture_output=True)
    return json.loads((folder / "metrics.json").read_text())


def ranks_of(folder: Path) -> int:
    """Return how many processes trained a run, as its checkpoint has it."""
    return json.loads((folder / "checkpoints" / "last" / "fitted.json").read_text())["ranks"]


@pytest.mark.parametrize("options", [[], RISE, ["--optimizer", "sam", "--accumulate", "2", "--batch-size", "15"]])
def test_two_processes_equal_one(tmp_path, b3db, options):
    file = tmp_path / "molecules.csv"
    b3db.subset(range(0, 1200, 10)).to_frame().to_csv(file, index=False)
    one, two = (train(tmp_path / str(n), file, *options, processes=n) for n in (1, 2))
    assert two["test"] == pytest.approx(one["test"], abs=1e-4)
    assert two["valid_roc_auc"] == pytest.approx(one["valid_roc_auc"], abs=1e-4)
    assert two["passes"] == one["passes"]
    assert [ranks_of(tmp_path / name) for name in ("1", "2")] == [1, 2]


def test_first_pass_may_stay_unsynchronised(tmp_path, b3db):
    file = tmp_path / "molecules.csv"
    b3db.subset(range(0, 1200, 10)).to_frame().to_csv(file, index=False)
    options = ["--optimizer", "sam", "--skip-first-sync", "true", "--sharpness-every", "1"]  # only one process measures
    result = train(tmp_path / "run", file, *options, processes=2)
    assert 0 <= result["test"]["roc_auc"] <= 1
    assert ranks_of(tmp_path / "run") == 2
    alone = [sys.executable, "-m", "zoo", "train", "--resume", str(tmp_path / "run"), "--epochs", "3", "--quiet"]
    refused = subprocess.run(alone, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "m-sharpness depends on their number, and there are 1" in refused.stderr
    assert "Traceback" not in refused.stderr
