"""Training of one model by several processes: `torchrun --nproc-per-node 2 -m zoo train ...`.

Every process cuts its share from the same global batches, so the metrics are those of one process with the same batch
size.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from zoo.data import Batch, MoleculeLoader

T = TypeVar("T")


def initialize(device: str = "auto") -> str:
    """Join the process group that `torchrun` describes in the environment, if it does.

    Args:
        device: What was asked for.

    Returns:
        The device of this process: what was asked for, or the GPU of its number on this machine.

    Raises:
        ValueError: There are fewer GPUs than processes, or all processes were given the same one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return device
    device = device_of_process(device, int(os.environ.get("LOCAL_RANK", "0")))
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo")
    return device


def device_of_process(device: str, number: int) -> str:
    """Return the device of one of the processes on this machine; see `initialize`.

    Args:
        device: What was asked for.
        number: Of the process on this machine, from 0.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not device.startswith("cuda"):
        return device
    if device != "cuda":
        raise ValueError(f"device={device!r} is one GPU for several processes: give cuda, and each takes its own")
    if number >= torch.cuda.device_count():
        raise ValueError(
            f"process {number} of this machine has no GPU, there are {torch.cuda.device_count()}: start torchrun with "
            "--nproc-per-node of their number, or give --device cpu"
        )
    return f"cuda:{number}"


def finish() -> None:
    """Leave the process group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def size() -> int:
    """Number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_main() -> bool:
    """Return whether this process is the one that prints and writes."""
    return rank() == 0


def barrier() -> None:
    """Wait for all processes."""
    if size() > 1:
        dist.barrier()


def broadcast(value: T) -> T:
    """Return the value of the main process."""
    if size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def total(values: Tensor) -> Tensor:
    """Sum over all processes; a new tensor."""
    values = values.clone()
    if size() > 1:
        dist.all_reduce(values)
    return values


def mean(value: float, device: torch.device) -> float:
    """Mean over all processes, by way of tensors on a device that their group knows."""
    return float(total(torch.tensor(value, dtype=torch.float64, device=device))) / size()


def replicate(model: nn.Module, partly: bool = False) -> nn.Module:
    """The model, with gradients that are averaged over the processes; itself where there is one process.

    Args:
        model: The same in all processes.
        partly: Some weights have no gradient in some steps.
    """
    if size() == 1:
        return model
    # A draw of GROVER's depth can leave its weights out of a step, on one process and not on another.
    drawn = any(getattr(module, "dynamic_depth", None) for module in model.modules())
    return DistributedDataParallel(model, find_unused_parameters=drawn or partly)


def shares(loader: MoleculeLoader, start: int = 0) -> Iterator[Batch]:
    """This process's share of every batch of the loader's epoch, from number `start` on.

    A process without a molecule in a (last, small) batch gets its first one with all labels masked, so that every
    process takes part in every step.
    """
    if size() == 1:
        yield from loader.batches(start=start)
        return
    order, width = loader.order(), loader.batch_size
    for number in range(start, len(loader)):
        window = order[number * width : (number + 1) * width]
        mine = window[rank() :: size()]
        if len(mine):
            yield loader.batch(mine)
        else:
            batch = loader.batch(window[:1])
            yield replace(batch, mask=torch.zeros_like(batch.mask))
