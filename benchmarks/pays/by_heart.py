"""Does a setting of GraphSAM let every small model of the catalog learn sixteen molecules by heart?

    python benchmarks/pays/by_heart.py --results benchmarks/results/pays/a

`by_heart.csv` has a row for each model and setting: of how many of three beginnings 300 steps on all sixteen learned
every label. Rows that are there are not done again; all of them take a few minutes of one core.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import zoo
from zoo.learners.baselines import TaskEstimators
from zoo.registry.catalog import MODELS
from zoo.tasks import Binary, objective_for

SMILES = [f"C{'C' * n}{tail}" for n in range(4) for tail in ("O", "C(=O)N", "c1ccccc1", "Cl")]
LABELS = torch.tensor([[float((n + n // 4) % 2)] for n in range(16)])
SMALL = {
    **{"hidden_size": 16, "num_layers": 2, "num_heads": 2, "bond_hidden_size": 16, "readout_steps": 2},
    **{"dropout": 0.0, "attention_dropout": 0.0},
}
CARRIED = {"beta": 0.0, "gamma": 1.0, "anchor_every": None, "rise": 0.03}
SETTINGS: dict[str, dict[str, Any]] = {
    "as published": {},
    "beta 0, rise 3 %": CARRIED,
    "max_rho 0.1": {**CARRIED, "max_rho": 0.1},
    "max_rho 0.05": {**CARRIED, "max_rho": 0.05},
}
SEEDS, STEPS, EVERY = 3, 300, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "by_heart.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    known = {(row["model"], row["setting"]) for row in rows}
    for model in small_models():
        for setting, given in SETTINGS.items():
            if (model, setting) not in known:
                learned = sum(learns(model, given, seed) for seed in range(SEEDS))
                rows.append({"model": model, "setting": setting, "learned": learned, "of": SEEDS})
                print(model, setting, learned, flush=True)
                pd.DataFrame(rows).to_csv(path, index=False)


def small_models() -> list[str]:
    """Return the names of the networks whose default size is small."""
    return [
        entry.name
        for entry in MODELS
        if not issubclass(entry.resolve(), TaskEstimators)
        and not any(isinstance(value, int) and value > 400 for value in entry.defaults.values())
    ]


def learns(name: str, given: dict[str, Any], seed: int) -> bool:
    """Train a small model on all molecules, and return whether it ever predicts all labels."""
    fields = {field.name for field in dataclasses.fields(MODELS[name].resolve().config_class)}
    learner = zoo.build(
        name, model_args={key: value for key, value in SMALL.items() if key in fields}, optimizer="graphsam",
        optimizer_args={"lr": 3e-3, **given}, seed=seed, device="cpu",
    )  # fmt: skip
    model, optimizer = learner.model.train(), learner.optimizer
    objective = objective_for(model, Binary())
    graph = learner.featurizer.collate(learner.featurizer.encode_all([learner.featurizer.parse(s) for s in SMILES]))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = objective.of_scores(model(graph), LABELS, torch.ones_like(LABELS)).total
        loss.backward()
        return loss

    for step in range(STEPS):
        optimizer.step(closure)
        if step % EVERY == EVERY - 1:
            with torch.no_grad():
                right = (model.eval()(graph) > 0) == (LABELS > 0.5)
            model.train()
            if right.all():
                return True
    return False


if __name__ == "__main__":
    main()
