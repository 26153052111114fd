"""Advice on `precision="bfloat16"`, as far as it was measured."""

from __future__ import annotations

from typing import Any

import torch

from zoo.registry.catalog import MODELS

FACT = "bfloat16_from"
"""Fact of a model in the catalog: the width from which `benchmarks/precision.py` found bfloat16 faster on a CPU."""


def has_bfloat16_products(device: torch.device) -> bool:
    """Return whether a CPU multiplies bfloat16 matrices by instructions of their own (AMX, AVX512_BF16).

    Of other devices nothing was measured: `False`.
    """
    if device.type != "cpu":
        return False
    questions = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in questions)


def advise_precision(run: Any) -> str:
    """Return a line that says that bfloat16 would be faster, where it was measured to be; else nothing.

    Args:
        run: A `TrainingRun`.
    """
    name, width = run.recipe.model, getattr(getattr(run.model, "config", None), "hidden_size", 0)
    least = MODELS[name].facts.get(FACT) if name in MODELS else None
    if run.options.precision != "float32" or least is None or width < least or not has_bfloat16_products(run.device):
        return ""
    return "bfloat16 would train faster on this processor, with slightly different results: --precision bfloat16"
