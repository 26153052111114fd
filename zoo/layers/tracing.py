"""Whether a model is being written down as a graph of operations, in which sizes have no values."""

from __future__ import annotations

import torch

_asked = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)  # the former came with torch 2.7


def is_exported() -> bool:
    """Return whether `torch.export` traces: a choice by the size of a batch would then hold for all batches."""
    return bool(_asked())
