"""Versions of the packages that compute."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("molzoo", "torch", "dgl", "rdkit", "scikit-learn", "numpy")


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
