"""Where ten training steps on a GPU spend their time, and where they wait for it (for `gpu.py --profile NAME`)."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch

import zoo

STEPS = 10
LAUNCHES = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cuLaunchKernelEx")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")


def profile_training(
    name: str, model_args: dict[str, Any], data: Any, batch_size: int, device: str = "cuda"
) -> dict[str, Any]:
    """Print the kernels and the operators that take most of some steps after a warm-up.

    Returns:
        Per step: milliseconds without the profiler, kernels started, calls that wait for the GPU, operators; and the
        lines that wait, with how often they did in all steps.
    """
    part = data.subset(range(STEPS * batch_size))

    learner = zoo.build(name, model_args=model_args, device=device)

    def fit() -> Any:
        history = learner.fit(part, split=None, epochs=1, batch_size=batch_size, progress=False)
        if device == "cuda":
            torch.cuda.synchronize()
        return history

    fit()
    seconds = fit().seconds
    with torch.profiler.profile() as profiler:
        fit()
    events = profiler.key_averages()
    for order in ("self_device_time_total", "self_cpu_time_total"):
        print(events.table(sort_by=order, row_limit=25, max_name_column_width=70), flush=True)
    counts = {event.key: event.count for event in events}
    return {
        "milliseconds": round(1000 * seconds / STEPS, 2),
        "kernels": sum(counts.get(call, 0) for call in LAUNCHES) / STEPS,
        "waits": {call: counts[call] / STEPS for call in WAITS if call in counts},
        "operators": sum(count for key, count in counts.items() if key.startswith("aten::")) / STEPS,
        "waiting_lines": waiting_lines(fit) if device == "cuda" else {},
    }


def waiting_lines(fit: Any) -> dict[str, int]:
    """Lines of Python at which torch waits for the GPU, with how often."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            fit()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [warning for warning in caught if "synchroniz" in str(warning.message)]
    places = Counter("/".join(Path(wait.filename).parts[-3:]) + f":{wait.lineno}" for wait in waits)
    return dict(places.most_common())
