"""Speed and memory of every model on the same batches, and how much of a step is matrix products.

Each model runs in a process of its own, so that a peak is its own. Prints one JSON line a model, then a table:

    python benchmarks/models.py --models grover gcn gps --steps 20
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

# GROVER at two sizes whose step is compared with its bare matrix products; every step is equally deep.
FLOORS = {
    "grover_100_3": ("grover", {"hidden_size": 100, "num_layers": 3, "dynamic_depth": None}),
    "grover_800_6": ("grover", {"hidden_size": 800, "num_layers": 6, "dynamic_depth": None}),
}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
# Where the two factors of a product stand among the arguments, by operator.
FACTORS = {"mm": 0, "bmm": 0, "addmm": 1, "addmm_": 1, "baddbmm": 1, "baddbmm_": 1, "addbmm": 1, "addbmm_": 1}
COLUMNS = ("model", "parameters", "inference", "adam", "graphsam", "graphsam_over_adam", "adam_over_first", "peak_mb")


def main() -> None:
    options = parse()
    if options.worker:
        print(json.dumps(measure(options.worker, options)))
        return
    records: list[dict[str, Any]] = []
    for name in options.models or [*torch_models(), *FLOORS]:
        finished = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--worker", name], stdout=subprocess.PIPE, text=True, check=False
        )
        if finished.returncode:
            print(json.dumps({"model": name, "failed": finished.returncode}), flush=True)
            continue
        record = json.loads(finished.stdout.splitlines()[-1])
        records.append(record)
        record["adam_over_first"] = round(record["adam"] / records[0]["adam"], 3)
        print(json.dumps(record), flush=True)
    print_table(records)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", nargs="+", metavar="NAME", help=f"names of the catalog, or {', '.join(FLOORS)}; default: all"
    )
    parser.add_argument("--data", default="b3db", help="what zoo.data.load takes; default: the embedded b3db")
    parser.add_argument("--batch-size", type=int, default=32, help="molecules a batch; default: 32")
    parser.add_argument("--batches", type=int, default=8, help="different batches, taken in turn; default: 8")
    parser.add_argument("--steps", type=int, default=24, help="measured steps of each kind at most; default: 24")
    parser.add_argument("--seconds", type=float, default=8.0, help="stop measuring a kind after this time; default: 8")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch; default: 1")
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help='"cpu" (one thread only) is steadier on a machine that is shared',
    )
    parser.add_argument("--seed", type=int, default=0, help="of the molecules and the weights; default: 0")
    parser.add_argument("--worker", metavar="NAME", help=argparse.SUPPRESS)
    return parser.parse_args()


def torch_models() -> Iterator[str]:
    from zoo.registry.catalog import MODELS

    for entry in MODELS:
        if not entry.target.startswith("zoo.learners.baselines:"):
            yield entry.name


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Molecules per second of inference, Adam steps and GraphSAM steps, in this order: each needs more memory."""
    import zoo

    torch.set_num_threads(options.threads)
    data = zoo.data.load(options.data)

    def build(optimizer: str) -> Any:
        model, model_args = FLOORS.get(name, (name, {}))
        return zoo.build(
            model, optimizer=optimizer, dataset=data, model_args=model_args, seed=options.seed, device="cpu"
        )

    learner = build("adam")
    batches = make_batches(learner, data, options)
    before = peak_mb()
    record = {
        "model": name,
        "parameters": learner.num_parameters,
        "batch_size": options.batch_size,
        "threads": options.threads,
        "clock": options.clock,
        "inference": speed(inference_step(learner.model), batches, options),
        "inference_peak_mb": peak_mb(),
        "adam": speed(training_step(learner), batches, options),
        "adam_peak_mb": peak_mb(),
    }
    del learner
    record["graphsam"] = speed(training_step(build("graphsam")), batches, options)
    record["graphsam_over_adam"] = round(record["graphsam"] / record["adam"], 3)
    record |= {"peak_mb": peak_mb(), "peak_mb_before": before}
    return record | (floor(build("adam"), batches, options, record["adam"]) if name in FLOORS else {})


def make_batches(learner: Any, data: Any, options: argparse.Namespace) -> list[Any]:
    from zoo.data import MoleculeLoader, featurize

    count = min(options.batches * options.batch_size, len(data))
    data = data.subset(np.random.default_rng(options.seed).permutation(len(data))[:count])
    packed = featurize(data, learner.featurizer)
    return list(MoleculeLoader(packed, learner.featurizer, data.targets, batch_size=options.batch_size))


def inference_step(model: torch.nn.Module) -> Callable[[Any], None]:
    model.eval()

    def step(batch: Any) -> None:
        with torch.no_grad():
            model(batch.graph)

    return step


def training_step(learner: Any) -> Callable[[Any], None]:
    from zoo.tasks import objective_for

    model, optimizer = learner.model.train(), learner.optimizer

    def step(batch: Any) -> None:
        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = objective_for(model, learner.task)(model, batch).total
            loss.backward()
            return loss

        optimizer.step(closure)

    return step


def seconds_of(step: Callable[[Any], None], items: list[Any], options: argparse.Namespace) -> list[float]:
    """Time of each item, the median of its turns; the first turn of the first item warms up and does not count."""
    step(items[0])
    times: list[list[float]] = [[] for _ in items]
    start, clock = time.perf_counter(), CLOCKS[options.clock]
    for turn in range(max(options.steps, len(items))):
        began = clock()
        step(items[turn % len(items)])
        times[turn % len(items)].append(clock() - began)
        if time.perf_counter() - start > options.seconds and turn > 0:
            break
    return [median(turns) for turns in times if turns]


def speed(step: Callable[[Any], None], batches: list[Any], options: argparse.Namespace) -> float:
    """Molecules per second, three significant digits."""
    times = seconds_of(step, batches, options)
    molecules = sum(len(batch) for batch in batches[: len(times)])
    return float(f"{molecules / sum(times):.3g}")


class ProductRecorder(TorchDispatchMode):
    """Recorder of the shapes and strides of the factors of every matrix product that torch computes."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[tuple[Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        place = FACTORS.get(func.overloadpacket.__name__)
        if place is not None:
            first, second = args[place : place + 2]
            self.products.append(((first.shape, first.stride()), (second.shape, second.stride())))
        return func(*args, **(kwargs or {}))


def floor(learner: Any, batches: list[Any], options: argparse.Namespace, adam: float) -> dict[str, Any]:
    """The same products as a training step computes, on numbers that are there already, and nothing else."""
    step = training_step(learner)
    recorded = []
    for batch in batches:
        with ProductRecorder() as recorder:
            step(batch)
        recorded.append(recorder.products)
    buffers: dict[Any, torch.Tensor] = {}

    def factor(shape: Any, stride: Any, side: int) -> torch.Tensor:
        key = (tuple(shape), tuple(stride), side)
        if key not in buffers:
            reach = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
            buffers[key] = torch.rand(max(reach, 0)).as_strided(shape, stride)
        return buffers[key]

    def multiply(products: list[tuple[Any, Any]]) -> None:
        for first, second in products:
            torch.matmul(factor(*first, 0), factor(*second, 1))

    for products in recorded:
        multiply(products)  # so that making the numbers is not timed
    times = seconds_of(multiply, recorded, options)
    molecules = sum(len(batch) for batch in batches[: len(times)])
    flops = [sum(2 * np.prod(a[0]) * b[0][-1] for a, b in products) for products in recorded]
    floor_speed = molecules / sum(times)
    return {
        "floor": float(f"{floor_speed:.3g}"),
        "adam_over_floor": round(adam / floor_speed, 3),
        "gflop_per_molecule": float(f"{sum(flops) / sum(map(len, batches)) / 1e9:.3g}"),
        "floor_gflops": float(f"{sum(flops[: len(times)]) / sum(times) / 1e9:.3g}"),
    }


def peak_mb() -> int:
    """Largest resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1024**2 if sys.platform == "darwin" else 1024))


def print_table(records: list[dict[str, Any]]) -> None:
    rows = [COLUMNS, *[tuple(f"{record.get(column, '')}" for column in COLUMNS) for record in records]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    print("\nmolecules per second; peak memory of the process in MB")
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    for record in records:
        if "floor" in record:
            print(
                f"{record['model']}: {record['adam']} molecules/s of Adam steps, "
                f"{record['floor']} of its matrix products alone ({record['adam_over_floor']} of it)"
            )


if __name__ == "__main__":
    main()
