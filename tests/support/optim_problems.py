"""The parity fixtures: a float64 MLP, its batches, and what published code computed on them step by step."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from support.places import FIXTURES

HERE = Path(__file__).parents[1] / "optim"
EXTRACT = HERE / "fixtures" / "optim.json"
FOLDER = FIXTURES / "optim" / "optim.json"
SOURCES = {"extract": EXTRACT} | ({"folder": FOLDER} if FOLDER.is_file() else {})
DATA = {name: json.loads(path.read_text()) for name, path in SOURCES.items()}


def runs(prefix: str):
    """Parameters (data, run name) for every run whose name starts with ``prefix``, of every set of fixtures."""
    found = [(data, name, f"{source}-{name}") for source, data in DATA.items() for name in data["runs"]]
    return [pytest.param(data, name, id=label) for data, name, label in found if name.startswith(prefix)]


def schedules(prefix: str):
    found = [
        (data["schedules"][name], name, f"{source}-{name}")
        for source, data in DATA.items()
        for name in data["schedules"]
    ]
    return [pytest.param(values, name, id=label) for values, name, label in found if name.startswith(prefix)]


def options(name: str) -> dict[str, float]:
    """Hyper-parameters spelled in a run's name, as ``beta0.99`` or ``k2``."""
    pattern = r"(?<![a-z])(alpha|beta|gamma|lambda|radius|rho|factor|warm|d|k)(\d+(?:\.\d+)?)"
    return {key: float(value) for key, value in re.findall(pattern, name)}


class Problem:
    """One run: the model at its first weights, the base optimizer, and the closure for a batch."""

    def __init__(self, data: dict, name: str) -> None:
        self.name, self.run = name, data["runs"][name]
        widths = [data["shapes"][0][1], *[shape[0] for shape in data["shapes"][::2]]]
        layers = [torch.nn.Linear(a, b, dtype=torch.float64) for a, b in pairwise(widths)]
        self.model = torch.nn.Sequential(*[m for layer in layers for m in (layer, torch.nn.Tanh())][:-1])
        self.inputs, self.targets = (torch.tensor(data[key], dtype=torch.float64) for key in "XY")
        torch.nn.utils.vector_to_parameters(
            torch.tensor(data["init_params"], dtype=torch.float64), self.model.parameters()
        )
        kind = torch.optim.SGD if "sgd" in name.split(".") else torch.optim.Adam
        self.base = kind(self.model.parameters(), lr=self.run["lr"])

    def weights(self) -> torch.Tensor:
        return torch.nn.utils.parameters_to_vector(self.model.parameters()).detach().clone()

    def follow(self, optimizer, *, set_epoch=True, before_step=None) -> int:
        """Make the run's steps and compare weights and perturbed weights. Returns the number of closure calls."""
        calls = 0
        for step in self.run["steps"]:
            epoch, batch = step["epoch"], step["batch"]
            if set_epoch:
                optimizer.set_epoch(epoch)
            if before_step is not None:
                before_step(step)
            visited = []

            def closure(epoch=epoch, batch=batch, visited=visited):
                optimizer.zero_grad()
                visited.append(self.weights())
                loss = (self.model(self.inputs[epoch, batch]) - self.targets[epoch, batch]).square().mean()
                scaled = "scaledbackward" in self.name and (
                    len(visited) == 2 or (batch > 0 and "graphsam" in self.name)
                )
                loss.backward(loss.detach() if scaled else None)
                return loss

            optimizer.step(closure)
            calls += len(visited)
            if step["perturbed_params"] is not None:
                self.compare(visited[-1], step["perturbed_params"], f"perturbed, epoch {epoch} batch {batch}")
            self.compare(self.weights(), step["params"], f"after epoch {epoch} batch {batch}")
        return calls

    @staticmethod
    def compare(actual: torch.Tensor, expected: list[float], where: str) -> None:
        torch.testing.assert_close(
            actual, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12, msg=lambda m: f"{where}: {m}"
        )
