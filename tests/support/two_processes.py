"""Cases that need two processes: all of them in one spawn, because starting torch twice takes seconds."""

import os
import warnings
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from support.optim_models import WORLD

Measure = Callable[[Any, int], Any]


def results_of_processes(measure: Measure, cases: Sequence[Hashable], folder: Path) -> dict[Any, Any]:
    """What `measure(case, rank)` gives in the first process, by case; the text of the error where it raises one."""
    context = mp.get_context("spawn")
    queue, finished = context.SimpleQueue(), context.SimpleQueue()
    mp.spawn(work, (str(folder / "store"), measure, cases, queue, finished), nprocs=WORLD)
    return dict(queue.get() for _ in cases)


def work(rank: int, store: str, measure: Measure, cases: Sequence[Hashable], results: Any, finished: Any) -> None:
    """All cases in one process. It leaves without tearing gloo down, which now and then aborts at exit under load."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=WORLD)
    for case in cases:
        try:
            result = measure(case, rank)
        except Exception as error:
            result = repr(error)
        if rank == 0:
            results.put((case, result))
    if rank == 0:
        finished.get()
    else:
        finished.put(rank)
    os._exit(0)
