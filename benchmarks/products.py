"""The matrix products of a training step alone, and the operators that take the rest of it (for `models.py`)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Where the two factors of a product stand among the arguments, by operator.
FACTORS = {"mm": 0, "bmm": 0, "addmm": 1, "addmm_": 1, "baddbmm": 1, "baddbmm_": 1, "addbmm": 1, "addbmm_": 1}

Factor = tuple[Any, Any, torch.dtype]
Product = tuple[Factor, Factor]


class ProductRecorder(TorchDispatchMode):
    """Notes shapes, strides and types of the factors of every matrix product that torch computes."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[Product] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        place = FACTORS.get(func.overloadpacket.__name__)
        if place is not None:
            first, second = args[place : place + 2]
            self.products.append(tuple((factor.shape, factor.stride(), factor.dtype) for factor in (first, second)))
        return func(*args, **(kwargs or {}))


def record_products(step: Callable[[Any], None], batches: list[Any]) -> list[list[Product]]:
    """The products of a step on each batch."""
    recorded = []
    for batch in batches:
        with ProductRecorder() as recorder:
            step(batch)
        recorded.append(recorder.products)
    return recorded


class Products:
    """Computes recorded products on numbers that are there already, once they are prepared, and nothing else."""

    def __init__(self) -> None:
        self.buffers: dict[Any, torch.Tensor] = {}

    def factor(self, factor: Factor, side: int) -> torch.Tensor:
        """Random numbers in the shape, strides and type of a factor."""
        shape, stride, dtype = factor
        key = (tuple(shape), tuple(stride), dtype, side)
        if key not in self.buffers:
            reach = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
            self.buffers[key] = torch.rand(max(reach, 0)).to(dtype).as_strided(shape, stride)
        return self.buffers[key]

    def prepare(self, recorded: list[list[Product]]) -> None:
        """Make the numbers, so that it is not timed."""
        for products in recorded:
            self(products)

    def __call__(self, products: list[Product]) -> None:
        """Multiply."""
        for first, second in products:
            torch.matmul(self.factor(first, 0), self.factor(second, 1))


def flop(products: list[Product]) -> float:
    """Floating-point operations of some products."""
    return float(sum(2 * np.prod(first[0]) * second[0][-1] for first, second in products))


class OperatorClock(TorchDispatchMode):
    """Adds up the processor time of every operator; a profiler adds up wall time, which others share."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        began = time.thread_time()
        result = func(*args, **(kwargs or {}))
        self.seconds[func.overloadpacket.__name__] += time.thread_time() - began
        return result


def largest_costs(step: Callable[[Any], None], batches: list[Any], count: int = 3) -> dict[str, float]:
    """The operators besides products that take most of a step, with their share of its time without a clock on them."""
    step(batches[0])
    began = time.thread_time()
    for batch in batches:
        step(batch)
    total = time.thread_time() - began
    with OperatorClock() as clock:
        for batch in batches:
            step(batch)
    others = {name: seconds for name, seconds in clock.seconds.items() if name not in FACTORS}
    largest = sorted(others, key=lambda name: -others[name])[:count]
    return {name: round(others[name] / total, 4) for name in largest}
