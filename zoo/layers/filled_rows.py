"""Rows of zeros that bring a batch to a size that other batches have too."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MULTIPLE = 64


def fill_rows(x: Tensor) -> Tensor:
    """Append rows of zeros to x (n, ...) up to a multiple of `MULTIPLE`, on a CPU and under autocast; else x itself.

    There a product is compiled for its sizes when they first come up, which for width 100 takes several times as long
    as the product; batches of molecules have hundreds of sizes, and a tenth as many multiples of 64.

    Example:
        >>> with torch.autocast("cpu", torch.bfloat16):
        ...     fill_rows(torch.ones(100, 3)).shape
        torch.Size([128, 3])
    """
    if not compiles_products(x):
        return x
    missing = filled(len(x)) - len(x)
    return F.pad(x, (0, 0) * (x.dim() - 1) + (0, missing)) if missing else x


def filled(size: int) -> int:
    """The next multiple of `MULTIPLE`."""
    return size + -size % MULTIPLE


def compiles_products(x: Tensor) -> bool:
    """Return whether products of x are in half precision on a CPU."""
    return x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
