"""Agreement of a GPU with the CPU for every model and rule, and its speed in training and prediction.

    python benchmarks/gpu.py --seconds 300 --output gpu.jsonl

One JSON line for each measurement. `check` compares predictions and gradients in float32 with the CPU's; `train` is
molecules per second of `Learner.fit` with Adam, GraphSAM and SAM, in turn, with the share of the time in which no
kernel runs; `predict` is molecules per second of molecules that are featurized already, and of SMILES.

`--only grover,dmpnn` measures these models alone. `--profile grover` prints the kernels and operators of ten training
steps and the lines that wait for the GPU, and measures nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from gpu_profile import profile_training

import optim
import zoo
from zoo.learners.baselines import TaskEstimators
from zoo.registry.catalog import MODELS

NO_CHANCE = {"dropout": 0.0, "attention_dropout": 0.0, "random_masking": 0.0}
SMALL = {"hidden_size": 32, "num_layers": 2, "num_heads": 2, **NO_CHANCE}
LARGE = ("grover_base", "grover_large", "graphormer_base")
SPEED = {
    "grover": {},
    "grover_base": {"dynamic_depth": None},
    "compt": {},
    "dmpnn": {},
    "gps": {},
    "graphormer_base": {},
}
TOLERANCE = 1e-3
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "[Na+].[Cl-]", "CC(C)[C@H](N)C(=O)O"] * 4


def main() -> None:
    options = parse()
    started = time.perf_counter()
    file = options.output.open("a", encoding="utf-8") if options.output else None

    def tell(record: dict[str, Any]) -> None:
        line = json.dumps({"device": torch.cuda.get_device_name(), "torch": torch.__version__, **record})
        print(line, flush=True)
        if file:
            file.write(line + "\n")
            file.flush()

    def left() -> bool:
        return time.perf_counter() - started < options.seconds

    data = zoo.data.load("b3db")
    for name in options.profile:
        steps = partial(profile_training, name, SPEED.get(name, {}), data, options.batch_size)
        tell(attempt("profile", name, steps))
    if options.profile:
        return
    for name in options.only or check_names():
        tell(attempt("check", name, lambda name=name: check_model(name)))
    for rule in [] if options.only else optim.RULES:
        tell(attempt("check_rule", rule, lambda rule=rule: check_rule(rule)))
    for name in options.only or SPEED:
        model_args = SPEED.get(name, {})
        if left():
            tell(attempt("train", name, lambda n=name, a=model_args: train(n, a, data, options.batch_size)))
        if left():
            tell(attempt("predict", name, lambda n=name, a=model_args: predict(n, a, data)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=330, help="start no measurement after so many; default: 330")
    parser.add_argument("--batch-size", type=int, default=128, help="molecules a step; default: 128")
    parser.add_argument("--only", type=names, default=[], metavar="NAMES", help="models, joined by commas")
    parser.add_argument("--profile", type=names, default=[], metavar="NAMES", help="models to profile, nothing else")
    parser.add_argument("--output", type=Path, help="file that the lines are also appended to")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu.py: torch finds no GPU here")
    return options


def names(text: str) -> list[str]:
    """Names of the catalog that a text joins by commas."""
    return [MODELS[name].name for name in text.split(",")]


def attempt(kind: str, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A measurement, or why there is none."""
    try:
        return {"kind": kind, "name": name, **measure()}
    except Exception as error:
        return {"kind": kind, "name": name, "failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}


def check_names() -> list[str]:
    return [e.name for e in MODELS if e.name not in LARGE and not is_estimator(e.name)]


def is_estimator(name: str) -> bool:
    return issubclass(MODELS[name].resolve(), TaskEstimators)


def small_args(name: str) -> dict[str, Any]:
    known = zoo.describe(name)[0].options
    return {option: value for option, value in SMALL.items() if option in known}


def check_model(name: str) -> dict[str, Any]:
    """Predictions and the gradient of their sum in both modes, on both devices; a checkpoint of the GPU on the CPU."""
    learners = [zoo.build(name, model_args=small_args(name), device=device) for device in ("cpu", "cuda")]
    learners[1].model.load_state_dict(learners[0].model.state_dict())
    predictions = [torch.from_numpy(learner.predict(SMILES)) for learner in learners]
    gradients = [gradients_of(learner) for learner in learners]
    difference = float((predictions[0] - predictions[1]).abs().max())
    gradient = max(float((a - b).norm() / a.norm()) for a, b in zip(*gradients, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        learners[1].save(Path(folder) / "saved")
        again = zoo.load(Path(folder) / "saved", device="cpu").predict(SMILES)
    difference = max(difference, float((predictions[0] - torch.from_numpy(again)).abs().max()))
    return {
        "prediction_difference": difference,
        "gradient_difference": gradient,
        "ok": max(difference, gradient) < TOLERANCE,
    }


def gradients_of(learner: Any) -> list[torch.Tensor]:
    """The gradient of the sum of the scores, in train mode without dropout and in eval mode."""
    packed = zoo.data.featurize(SMILES, learner.featurizer)
    batch = next(iter(zoo.data.MoleculeLoader(packed, learner.featurizer, batch_size=len(SMILES))))
    found = []
    for training in (True, False):
        torch.manual_seed(0)
        learner.model.train(training).zero_grad()
        # Not the plain sum, of which batch normalization leaves nothing but rounding.
        learner.model(batch.graph.to(learner.device)).square().sum().backward()
        grads = [p.grad for p in learner.model.parameters() if p.grad is not None]
        found.append(torch.cat([g.flatten().cpu() for g in grads]))
    return found


def check_rule(rule: str) -> dict[str, Any]:
    """Weights after five steps on a small network, on both devices."""
    weights = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        x, y = torch.randn(5, 32, 8), torch.randn(5, 32, 1)
        model, x, y = model.to(device), x.to(device), y.to(device)
        optimizer = optim.RULES[rule](torch.optim.AdamW(model.parameters(), lr=1e-2))
        for inputs, targets in zip(x, y, strict=True):
            optimizer.step(optim.SampleClosure(optimizer.zero_grad, partial(losses_of, model, inputs, targets), 32))
        weights.append(torch.cat([p.detach().flatten().cpu() for p in model.parameters()]))
    difference = float((weights[0] - weights[1]).abs().max())
    random = rule in ("esam", "rst")  # they draw from the device's own generator
    return {"weight_difference": difference, "ok": random or difference < TOLERANCE}


def losses_of(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return (model(x[chosen]) - y[chosen]).square().sum(1)


def train(name: str, model_args: dict[str, Any], data: Any, batch_size: int) -> dict[str, Any]:
    """Molecules per second with each optimizer in turn, after a warm-up, and the share without a running kernel."""
    part = data.subset(range(0, len(data), 1 if name not in LARGE else 8))
    speeds: dict[str, list[float]] = {"adam": [], "graphsam": [], "sam": []}
    for repeat in range(3):
        for optimizer, measured in speeds.items():
            learner = zoo.build(name, optimizer=optimizer, model_args=model_args, device="cuda")
            history = learner.fit(part, split=None, epochs=1, batch_size=batch_size, progress=False)
            if repeat:
                measured.append(history.molecules_per_second)
    rates = {optimizer: median(values) for optimizer, values in speeds.items()}
    return {
        "molecules_per_second": {optimizer: round(rate, 1) for optimizer, rate in rates.items()},
        "graphsam_over_adam": round(rates["adam"] / rates["graphsam"], 3),
        "sam_over_graphsam": round(rates["graphsam"] / rates["sam"], 3),
        "waiting": waiting_share(name, model_args, part, batch_size),
        "peak_mb": round(torch.cuda.max_memory_allocated() / 2**20),
    }


def waiting_share(name: str, model_args: dict[str, Any], data: Any, batch_size: int) -> float:
    """Share of the training time in which the GPU runs no kernel."""
    learner = zoo.build(name, model_args=model_args, device="cuda")
    few = data.subset(range(0, len(data), max(1, len(data) // (batch_size * 12))))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        history = learner.fit(few, split=None, epochs=1, batch_size=batch_size, progress=False)
        torch.cuda.synchronize()
    busy = sum(event.self_device_time_total for event in profile.key_averages()) / 1e6
    return round(1 - min(1.0, busy / history.seconds), 3)


def predict(name: str, model_args: dict[str, Any], data: Any) -> dict[str, Any]:
    """Molecules per second of a trained learner's predictions."""
    learner = zoo.build(name, model_args=model_args, device="cuda")
    smiles = data.smiles[::4]
    packed = zoo.data.featurize(smiles, learner.featurizer)
    rates = {}
    for what, call in (("packed", lambda: learner.predict_packed(packed)), ("smiles", lambda: learner.predict(smiles))):
        call()
        started = time.perf_counter()
        call()
        rates[what] = round(len(smiles) / (time.perf_counter() - started), 1)
    return {"molecules_per_second": rates}


if __name__ == "__main__":
    main()
