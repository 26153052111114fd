"""Machine of a run: facts that explain its speed, versions that explain its numbers. No host or user names."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from featurizers.backend import backend as backend
from zoo.runs import checkpoint


def describe_machine(device: torch.device | None) -> dict[str, Any]:
    """Processor, cores, memory (GiB), threads, system, and the accelerator if the run used one.

    Example:
        >>> sorted(describe_machine(None))
        ['cores', 'device', 'memory_gib', 'processor', 'system', 'threads']
    """
    accelerator = torch.cuda.get_device_name(device) if device is not None and device.type == "cuda" else "cpu"
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": memory(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": accelerator,
    }


def processor() -> str:
    """The processor's name."""
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> float | None:
    """Main memory in GiB, where the system reports it."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


@lru_cache(maxsize=1)
def describe_versions() -> dict[str, str]:
    """Return the versions of the packages that compute, and the commit of a checkout ("+": with changes)."""
    found = checkpoint.versions()
    tracked = git("ls-files", Path(__file__).name)
    revision = git("rev-parse", "--short=12", "HEAD") if tracked else ""
    if revision:
        found["commit"] = revision + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    return found


def git(*arguments: str) -> str:
    """Return git's description of the folder of this package, or nothing."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()
