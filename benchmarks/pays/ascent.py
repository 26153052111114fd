"""Stage A: does the carried direction of GraphSAM climb, and which radius raises the loss by how much?

    MOLZOO_DATA=moleculenet python benchmarks/pays/ascent.py --results benchmarks/results/pays/a

`cosines.csv` has a row for each data set and rule: cosine of the angle between the direction in use and the gradient of
the batch at the weights, the share of steps in which it is positive, and the relative rise of the loss along it; steps
that took the true gradient (anchors) are left out. `rises.csv` has a row for each data set and radius: median relative
rise of the batch loss along its gradient, over the path of Adam. Small CoMPT, one seed, 1,000 molecules of each set.
Rows that are there are not done again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import zoo
from zoo.experiments.experiment import draw

SETS = ("esol", "lipophilicity", "bbbp", "sider", "tox21")
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "graphsam, beta 0.99": ("graphsam", {"beta": 0.99, "gamma": 1.0, "anchor_every": 1}),
    "graphsam, beta 0": ("graphsam", {"beta": 0.0, "gamma": 1.0, "anchor_every": 1}),
    "graphsam_paper, beta 0.99": ("graphsam_paper", {"beta": 0.99, "gamma": 1.0}),
}
RHO = 0.02
RADII = (0.001, 0.003, 0.01, 0.03, 0.1)
SEED, MOLECULES, EPOCHS, EVERY = 10, 1000, 3, 3


class Ladder(zoo.callbacks.Callback):
    """Measure the relative rise of the loss of a batch along its gradient, for each of some radii.

    Args:
        radii: Lengths of the steps along the gradient.
        every: Optimizer steps between two measurements.
    """

    def __init__(self, radii: tuple[float, ...], every: int) -> None:
        self.radii, self.every = radii, every
        self.rises: list[list[float]] = []

    def on_step_start(self, run: Any, closure: Any) -> None:
        """Climb, measure, and put everything back."""
        if run.step % self.every:
            return
        weights = [p for p in run.model.parameters() if p.requires_grad]
        kept = [p.detach().clone() for p in weights]
        loss, found = self.loss(closure), []
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in weights]
        norm = torch.cat([g.reshape(-1) for g in gradients]).norm()
        with torch.no_grad():
            for radius in self.radii:
                torch._foreach_add_(weights, gradients, alpha=float(radius / norm))
                found.append(self.loss(closure) / loss - 1)
                torch._foreach_copy_(weights, kept)
        self.rises.append(found)

    @staticmethod
    def loss(closure: Any) -> float:
        """Loss with the same dropout at each call; training draws as if nobody measured."""
        with torch.random.fork_rng(), torch.enable_grad():
            return float(closure())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of the two tables")
    parser.add_argument("--data-dir", default=None, help="folder of MoleculeNet's files; default: MOLZOO_DATA")
    parser.add_argument("--sets", nargs="+", default=SETS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.results.mkdir(parents=True, exist_ok=True)
    cosines, rises = options.results / "cosines.csv", options.results / "rises.csv"
    for name in options.sets:
        data = draw(zoo.data.load(name, data_dir=options.data_dir), MOLECULES)
        if not known(rises, dataset=name):
            add(rises, rise_rows(name, data))
        for rule in RULES:
            if not known(cosines, dataset=name, rule=rule):
                add(cosines, [cosine_row(name, data, rule)])


def train(data: Any, optimizer: str, optimizer_args: dict[str, Any], callback: Any) -> Any:
    """Train the small CoMPT on the training part of a data set."""
    learner = zoo.build(
        "compt", optimizer=optimizer, dataset=data, seed=SEED, model_args={"hidden_size": 64, "num_layers": 3},
        optimizer_args={"lr": 1e-3, **optimizer_args}, device="cpu",
    )  # fmt: skip
    split = zoo.data.split_dataset(data, "scaffold", seed=SEED)
    return learner.fit(split.train, split=None, epochs=EPOCHS, callbacks=[callback], progress=False)


def cosine_row(name: str, data: Any, rule: str) -> dict[str, Any]:
    """Train with a rule and describe its direction between anchors."""
    optimizer, options = RULES[rule]
    monitor = zoo.callbacks.AscentMonitor(EVERY)
    history = train(data, optimizer, {"rho": RHO, **options}, monitor)
    per_epoch = history.epochs[0].steps
    found = [a for step, a in monitor.found.items() if "graphsam" not in optimizer or (step - 1) % per_epoch]
    cosines, rises = np.array([a.cosine for a in found]), np.array([a.rise for a in found])
    return {
        "dataset": name,
        "rule": rule,
        "rho": RHO,
        "steps": len(found),
        "cosine": round(float(cosines.mean()), 4),
        "cosine_sd": round(float(cosines.std(ddof=1)), 4),
        "positive": round(float((cosines > 0).mean()), 4),
        "rise": round(float(rises.mean()), 5),
    }


def rise_rows(name: str, data: Any) -> list[dict[str, Any]]:
    """Train with Adam and measure the rise along the gradient on the way."""
    ladder = Ladder(RADII, 2 * EVERY)
    train(data, "adam", {}, ladder)
    medians = np.median(np.array(ladder.rises), axis=0)
    rows = zip(RADII, medians, strict=True)
    return [{"dataset": name, "rho": rho, "rise": round(float(m), 5), "steps": len(ladder.rises)} for rho, m in rows]


def known(table: Path, **names: str) -> bool:
    """Whether a table has a row of these names."""
    if not table.exists():
        return False
    rows = pd.read_csv(table)
    return bool(np.logical_and.reduce([rows[column] == value for column, value in names.items()]).any())


def add(table: Path, rows: list[dict[str, Any]]) -> None:
    """Append rows to a table, and print them."""
    frame = pd.DataFrame(rows)
    frame.to_csv(table, mode="a", index=False, header=not table.exists())
    print(frame.to_string(index=False, header=False), flush=True)


if __name__ == "__main__":
    main()
