"""Speed and memory of every model on the same batches, and how much of a step is matrix products.

Each model runs in a process of its own, so that a peak is its own. Prints one JSON line a model, then a table:

    python benchmarks/models.py --models grover gcn gps --steps 20
"""

from __future__ import annotations

import argparse
import contextlib
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
from products import Products, flop, largest_costs, record_products

# GROVER at two sizes, every step equally deep.
SIZES = {
    "grover_100_3": ("grover", {"hidden_size": 100, "num_layers": 3, "dynamic_depth": None}),
    "grover_800_6": ("grover", {"hidden_size": 800, "num_layers": 6, "dynamic_depth": None}),
}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
COLUMNS = ("model", "parameters", "inference", "adam", "graphsam", "graphsam_over_adam", "adam_over_floor", "peak_mb")


def main() -> None:
    options = parse()
    if options.worker:
        print(json.dumps(measure(options.worker, options)))
        return
    records: list[dict[str, Any]] = []
    for name in options.models or [*torch_models(), *SIZES]:
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
        "--models", nargs="+", metavar="NAME", help=f"names of the catalog, or {', '.join(SIZES)}; default: all"
    )
    parser.add_argument("--data", default="b3db", help="what zoo.data.load takes; default: the embedded b3db")
    parser.add_argument("--batch-size", type=int, default=32, help="molecules a batch; default: 32")
    parser.add_argument("--batches", type=int, default=8, help="different batches, taken in turn; default: 8")
    parser.add_argument("--steps", type=int, default=24, help="measured steps of each kind at most; default: 24")
    parser.add_argument("--seconds", type=float, default=8.0, help="stop measuring a kind after this time; default: 8")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch; default: 1")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="default: float32")
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
    from zoo.runs import tune_process

    tune_process()
    torch.set_num_threads(options.threads)
    data = zoo.data.load(options.data)

    def build(optimizer: str) -> Any:
        model, model_args = SIZES.get(name, (name, {}))
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
        "precision": options.precision,
        "clock": options.clock,
        "inference": speed(inference_step(learner.model, options.precision), batches, options),
        "inference_peak_mb": peak_mb(),
        "adam": speed(training_step(learner, options.precision), batches, options),
        "adam_peak_mb": peak_mb(),
    }
    del learner
    record["graphsam"] = speed(training_step(build("graphsam"), options.precision), batches, options)
    record["graphsam_over_adam"] = round(record["graphsam"] / record["adam"], 3)
    record |= {"peak_mb": peak_mb(), "peak_mb_before": before}
    return record | against_products(training_step(build("adam"), options.precision), batches, options, record["adam"])


def against_products(
    step: Callable[[Any], None], batches: list[Any], options: argparse.Namespace, adam: float
) -> dict[str, Any]:
    """A training step next to its matrix products alone, and what else costs most."""
    products = record_products(step, batches)
    multiply = Products()
    multiply.prepare(products)
    times = seconds_of(multiply, products, options)
    floor = sum(len(batch) for batch in batches[: len(times)]) / sum(times)
    flops = [flop(recorded) for recorded in products]
    return {
        "floor": float(f"{floor:.3g}"),
        "adam_over_floor": round(adam / floor, 3),
        "gflop_per_molecule": float(f"{sum(flops) / sum(map(len, batches)) / 1e9:.3g}"),
        "floor_gflops": float(f"{sum(flops[: len(times)]) / sum(times) / 1e9:.3g}"),
        "costs": largest_costs(step, batches[:4]),
    }


def make_batches(learner: Any, data: Any, options: argparse.Namespace) -> list[Any]:
    from zoo.data import MoleculeLoader, featurize

    count = min(options.batches * options.batch_size, len(data))
    data = data.subset(np.random.default_rng(options.seed).permutation(len(data))[:count])
    packed = featurize(data, learner.featurizer)
    return list(MoleculeLoader(packed, learner.featurizer, data.targets, batch_size=options.batch_size))


def inference_step(model: torch.nn.Module, precision: str) -> Callable[[Any], None]:
    model.eval()

    def step(batch: Any) -> None:
        with torch.no_grad(), autocast(precision):
            model(batch.graph)

    return step


def training_step(learner: Any, precision: str) -> Callable[[Any], None]:
    from zoo.tasks import objective_for

    model, optimizer = learner.model.train(), learner.optimizer

    def step(batch: Any) -> None:
        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            with autocast(precision):
                loss = objective_for(model, learner.task)(model, batch).total
            loss.backward()
            return loss

        optimizer.step(closure)

    return step


def autocast(precision: str) -> contextlib.AbstractContextManager[Any]:
    return torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()


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
    print("\nadam_over_floor: share of the speed of a step's matrix products alone; what else takes most of a step:")
    for record in records:
        print(f"{record['model']}: " + ", ".join(f"{name} {share:.1%}" for name, share in record["costs"].items()))


if __name__ == "__main__":
    main()
