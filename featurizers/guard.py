"""Trying molecules that may crash or hang RDKit in a child process first."""

from __future__ import annotations

import atexit
import base64
import os
import re
import signal
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

from rdkit import Chem

LONG_SMILES = 600
"""Letters up to which every SMILES that was tried is read in milliseconds."""
MANY_ATOMS, MANY_RINGS = 300, 60
INCHI = "InChI="
MANY_IN_FORMULA = re.compile(rf"\s*{INCHI}[^/]*/[^/]*\d{{3}}")
"""An InChI whose formula has hundreds of one atom."""
CPU_SECONDS = 10
"""Time of the processor that a child may spend on a molecule; the longest peptides take a tenth of a second."""
WALL_SECONDS, GRACE_SECONDS = 120, 1
OUT_OF_TIME = [-getattr(signal, name) for name in ("SIGPROF", "SIGKILL") if hasattr(signal, name)]
"""How a child ends at the limit of its time, or of this process's patience."""
PACKAGES = Path(__file__).resolve().parents[1]


def is_risky(molecule: str | Chem.Mol) -> bool:
    """Return whether a molecule is tried in a child process first: it is large, or has many rings."""
    if isinstance(molecule, str):
        return len(molecule) > LONG_SMILES or bool(MANY_IN_FORMULA.match(molecule))
    num_atoms = molecule.GetNumAtoms()
    return num_atoms > MANY_ATOMS or molecule.GetNumBonds() - num_atoms > MANY_RINGS


def why_refused(molecule: str | Chem.Mol) -> str:
    """Read a molecule in a child process; return why it cannot be read, or "" if it can.

    The child has `CPU_SECONDS` for it. Answers are remembered, as a molecule is read several times on its way.

    Raises:
        OSError: No process can be started.
    """
    return _try(
        b"s" + molecule.encode(errors="surrogatepass") if isinstance(molecule, str) else b"m" + molecule.ToBinary()
    )


@lru_cache(maxsize=256)
def _try(content: bytes) -> str:
    with _lock:
        return _child.ask(content)


class _Child:
    """Child process that reads molecules, started at the first question and again after each crash."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, content: bytes) -> str:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - for the type checker
        timer = threading.Timer(WALL_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(base64.b64encode(content) + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        except BaseException:  # interrupted: the next question must not get this one's answer
            self.end()
            raise
        finally:
            timer.cancel()
        if answer.endswith(b"\n"):
            return answer.decode().strip()
        if self.end() in OUT_OF_TIME:
            return f"RDKit takes more than {CPU_SECONDS} s to read it"
        return "RDKit crashes on it"

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
            self.process = subprocess.Popen(
                [sys.executable, "-m", "featurizers.trial", str(CPU_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        return self.process

    def end(self) -> int:
        """Close the child's input, which ends it, if there is a child; return the status with which it ended."""
        process, self.process = self.process, None
        if process is None:
            return 0
        try:
            process.communicate(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode


def _start_anew() -> None:
    """Forget the child of the parent process after a fork: its pipes belong to the parent."""
    global _child, _lock
    if _child.process is not None:
        for pipe in (_child.process.stdin, _child.process.stdout):
            if pipe is not None:
                pipe.close()
    _child, _lock = _Child(), threading.Lock()


def _end() -> None:
    _child.end()


_child, _lock = _Child(), threading.Lock()
atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
