"""Keeps DGL from being imported in every Python that finds this folder in PYTHONPATH."""

import sys


class Blocked:
    """A finder that finds neither DGL nor DGL-LifeSci, and leaves the rest to others."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("dgl", "dgllife"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Blocked)
