"""bfloat16 next to float32: speed of steps in turn, and scores over seeds.

    python benchmarks/precision.py speed --output precision.jsonl
    python benchmarks/precision.py scores --models dmpnn grover --data bbbp esol --output precision.jsonl

`speed` prints one line for each model: molecules per second of processor time on one thread, both precisions on each
batch in turn, and the share of bfloat16's training step in which numbers are cast or copied. `scores` trains each model
with each seed in both precisions, on the same scaffold split, and says by how much the test scores differ and how far
they spread over the seeds. Predictions are in float32 either way.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import mean, median, stdev
from typing import Any

import torch
from models import SIZES as TWO_SIZES
from models import inference_step, make_batches, training_step

import zoo
from zoo.runs import tune_process

SIZES = {**TWO_SIZES, "grover_256_4": ("grover", {"hidden_size": 256, "num_layers": 4, "dynamic_depth": None})}
PRECISIONS = ("float32", "bfloat16")
COPIES = ("aten::copy_", "aten::_to_copy", "aten::to", "aten::contiguous", "aten::clone")
SMALL = {"hidden_size": 64}


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    for name in options.models:
        lines = [compare_speed(name, options)] if options.what == "speed" else compare_scores(name, options)
        for line in lines:
            print(json.dumps(line), flush=True)
            if options.output:
                with open(options.output, "a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    speed, scores = commands.add_parser("speed"), commands.add_parser("scores")
    speed.add_argument("--models", nargs="+", default=["dmpnn", *SIZES], help=f"of the catalog, or {', '.join(SIZES)}")
    speed.add_argument("--data", default="b3db", help="what zoo.data.load takes; default: b3db")
    speed.add_argument("--batch-size", type=int, default=32, help="molecules a batch; default: 32")
    speed.add_argument("--batches", type=int, default=6, help="batches, the first to warm up; default: 6")
    scores.add_argument("--models", nargs="+", default=["dmpnn", "grover", "compt"], help="of the catalog")
    scores.add_argument("--data", nargs="+", default=["bbbp", "esol"], help="what zoo.data.load takes")
    scores.add_argument("--seeds", type=int, default=5, help="default: 5")
    scores.add_argument("--epochs", type=int, default=8, help="default: 8")
    for command in (speed, scores):
        command.add_argument("--seed", type=int, default=0, help="the first; default: 0")
        command.add_argument("--output", help="file that the lines are also appended to")
    return parser.parse_args()


def compare_speed(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Molecules per second of training and inference in both precisions, and their ratios batch by batch."""
    tune_process()
    data = zoo.data.load(options.data)
    model, model_args = SIZES.get(name, (name, {}))
    learner = zoo.build(model, optimizer="adam", dataset=data, model_args=model_args, seed=options.seed, device="cpu")
    batches = make_batches(learner, data, options)
    line: dict[str, Any] = {"kind": "speed", "model": name, "batch_size": options.batch_size, "processor": processor()}
    for what in ("inference", "training"):
        steps = {precision: make_step(what, learner, precision) for precision in PRECISIONS}
        times = {precision: [] for precision in PRECISIONS}
        for batch in batches:
            for precision, step in steps.items():
                times[precision].append(seconds_of(step, batch))
        counted = {precision: found[1:] for precision, found in times.items()}
        molecules = sum(len(batch) for batch in batches[1:])
        for precision, found in counted.items():
            line[f"{what}_{precision}"] = float(f"{molecules / sum(found):.3g}")
        ratios = sorted(a / b for a, b in zip(*counted.values(), strict=True))
        line[f"{what}_ratio"] = [round(ratio, 2) for ratio in (ratios[0], median(ratios), ratios[-1])]
    line["copies"] = share_of_copies(steps["bfloat16"], batches[1])
    return line


def make_step(what: str, learner: Any, precision: str) -> Callable[[Any], None]:
    return inference_step(learner.model, precision) if what == "inference" else training_step(learner, precision)


def seconds_of(step: Callable[[Any], None], batch: Any) -> float:
    began = time.process_time()
    step(batch)
    return time.process_time() - began


def share_of_copies(step: Callable[[Any], None], batch: Any) -> float:
    """Share of a step's time in operators that cast or copy numbers."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        step(batch)
    times = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    return round(sum(times.get(key, 0.0) for key in COPIES) / sum(times.values()), 3)


def processor() -> str:
    """Say which bfloat16 instructions the processor has."""
    kinds = {"amx": torch.cpu._is_amx_tile_supported(), "avx512_bf16": torch.cpu._is_avx512_bf16_supported()}
    return " ".join(name for name, there in kinds.items() if there) or "none"


def compare_scores(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Test scores of both precisions with the same seeds: their difference and their spread."""
    return [compare_on(name, data, options) for data in options.data]


def compare_on(name: str, data: str, options: argparse.Namespace) -> dict[str, Any]:
    dataset = zoo.data.load(data)
    found: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for seed in range(options.seed, options.seed + options.seeds):
        for precision, scores in found.items():
            learner = zoo.build(name, dataset=dataset, model_args=SMALL, seed=seed, device="cpu")
            history = learner.fit(dataset, split="scaffold", epochs=options.epochs, precision=precision, progress=False)
            scores.append(float(learner.evaluate(history.split.test)[dataset.metric]))
    differences = [b - a for a, b in zip(*found.values(), strict=True)]
    return {
        "kind": "scores",
        "model": name,
        "data": data,
        "metric": dataset.metric,
        "epochs": options.epochs,
        **{precision: [round(score, 4) for score in scores] for precision, scores in found.items()},
        "difference": round(mean(differences), 4),
        "spread_of_differences": round(stdev(differences), 4),
        "spread_of_seeds": round(stdev(found["float32"]), 4),
        "within": abs(mean(differences)) <= stdev(found["float32"]),
    }


if __name__ == "__main__":
    main()
