"""Run the commands of "A first hour for chemists" and write its pictures to docs/pictures.

python docs/examples/make_pictures.py                 # trains anew, about three minutes
python docs/examples/make_pictures.py --work FOLDER   # keeps the runs there, and takes those that it finds

Pictures of pages need Chromium (`chromium`, or CHROMIUM=its path) and are left as they are where there is none.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parent / "pictures"
COMMANDS = {
    "runs/logbb": "train --data logbb.csv --model gcn --optimizer adam --output runs/logbb",
    "runs/three": "train --data logbb.csv --model gcn --optimizer adam --seeds 0 1 2 --output runs/three",
    "runs/three/uncertainty_ensemble.png": "evaluate runs/three --uncertainty ensemble",
    "drawings": "explain runs/logbb new.csv --output drawings --pictures png",
}
DRAWN = {
    "test.png": "runs/logbb/test.png",
    "learning_curve.png": "runs/logbb/learning_curve.png",
    "uncertainty.png": "runs/three/uncertainty_ensemble.png",
    "psilocin.png": "drawings/3.png",
}
LARGEST = 150_000
"""Bytes of a picture."""


def run_commands(work: Path) -> None:
    """Run what the page runs, but for what is there already."""
    for name in ("logbb.csv", "new.csv"):
        shutil.copy(HERE / name, work / name)
    for product, command in COMMANDS.items():
        if product == "runs/three/uncertainty_ensemble.png" and not (work / product).exists():
            run_molzoo(work, "calibrate runs/three --uncertainty ensemble")
        if not (work / product).exists():
            run_molzoo(work, command)


def run_molzoo(work: Path, command: str) -> None:
    """Run one command in a folder."""
    subprocess.run([sys.executable, "-m", "zoo", *command.split()], cwd=work, check=True)


def save_small(image: Image.Image, name: str) -> None:
    """Write a picture with at most 256 colours."""
    written = io.BytesIO()
    image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    if written.tell() > LARGEST:
        raise SystemExit(f"{name} has {written.tell():,} bytes, more than {LARGEST:,}")
    (PICTURES / name).write_bytes(written.getvalue())
    print(f"{name}: {image.width} x {image.height}, {written.tell():,} bytes")


def photograph(browser: str, address: str, name: str, size: tuple[int, int], wait: int = 3000) -> None:
    """Write a picture of the top of a page; `wait` is in milliseconds of the page's own clock."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        window = f"--window-size={size[0]},{size[1]}"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", window]
        waiting = [f"--virtual-time-budget={wait}", f"--screenshot={shot}"]
        subprocess.run([browser, *options, *waiting, address], check=True, capture_output=True, timeout=180)
        save_small(Image.open(shot), name)


def photograph_tensorboard(browser: str, work: Path) -> None:
    """Start TensorBoard over the runs and take a picture of its first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", "runs", "--port", str(port), "--host", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        address = f"http://127.0.0.1:{port}/#scalars&tagFilter=%5Evalid%2F&_smoothingWeight=0"
        photograph(browser, address, "tensorboard.png", (1300, 800), 30_000)
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, seconds: float = 60) -> None:
    """Wait until something answers at a port of this machine."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def main() -> None:
    """Run the commands and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for the runs; one that is removed unless it is named")
    parser.add_argument("--no-tensorboard", action="store_true", help="leave the picture of TensorBoard as it is")
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = (arguments.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        run_commands(work)
        for name, drawn in DRAWN.items():
            save_small(Image.open(work / drawn), name)
        browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        if browser:
            photograph(browser, (work / "runs/logbb/card.html").as_uri(), "card.png", (1100, 820))
            if not arguments.no_tensorboard:
                photograph_tensorboard(browser, work)


if __name__ == "__main__":
    main()
