"""Do ensembles pay? Single GROVER and D-MPNN, five of each, and a mixed ensemble, on small sets with scaffold splits.

    python benchmarks/ensembles.py --data-dir moleculenet --results benchmarks/results/ensembles
    python benchmarks/ensembles.py --results benchmarks/results/ensembles --table

For each split seed and data set five GROVERs (hidden size 64, 3 layers), five D-MPNNs, a GPS and a random forest on
ECFP4 and RDKit's 2D descriptors are trained from different seeds on the same parts. The predictions of each member for
the validation and test part are kept (`DATA-splitSEED-MODEL-MEMBER.npz`); the table needs nothing else. Members that
are there already are not trained again, so that a call that was cut off goes on.

It was made to fit some minutes of one core: five epochs, and 400 molecules of each set (drawn once, the same for all).
That compares ensembles with their members, not with published scores: models that are trained longer on all molecules
are better, and spread less. `--epochs` and `--molecules` ask for more, in another folder.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import zoo
from zoo.experiments import experiment
from zoo.experiments.ensembles.plan import EnsemblePlan
from zoo.learners.ensemble import combine
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.registry.kinds import higher_is_better
from zoo.tasks import metrics

SPLIT_SEEDS = range(5)
DATASETS = ("bace", "lipophilicity", "tox21")
SMALL = {"hidden_size": 64, "num_layers": 3, "dynamic_depth": None}
MODELS = {
    "grover": (Recipe("grover", model_args=SMALL, optimizer_args={"lr": 1e-3}), 5),
    "dmpnn": (Recipe("dmpnn", optimizer_args={"lr": 1e-3}), 5),
    "gps": (Recipe("gps", "adamw", "random_walk", optimizer_args={"lr": 1e-3, "weight_decay": 1e-5}), 1),
    "random_forest": (
        Recipe(
            "random_forest", "none", "fingerprint", model_args={"num_jobs": 1}, featurizer_args={"descriptors": True}
        ),
        1,
    ),
}
ROWS = {
    "single GROVER": [("grover", 1)],
    "single D-MPNN": [("dmpnn", 1)],
    "single GPS": [("gps", 1)],
    "random forest": [("random_forest", 1)],
    "5 GROVER": [("grover", 5)],
    "5 D-MPNN": [("dmpnn", 5)],
    "GROVER + D-MPNN + GPS + forest": [("grover", 1), ("dmpnn", 1), ("gps", 1), ("random_forest", 1)],
    "5 GROVER + 5 D-MPNN + GPS + forest": [("grover", 5), ("dmpnn", 5), ("gps", 1), ("random_forest", 1)],
}
"""Rows of the table: models and how many of each; each model has the same weight in a mixed ensemble."""


@dataclass(frozen=True)
class Member:
    """What is kept of a trained model.

    Args:
        metric: The data set's own metric.
        targets: Labels of the test part (n, T).
        test: Predictions of the test part (n, T).
        valid: Predictions of the validation part.
        seconds: Processor time of training and prediction.
    """

    metric: str
    targets: np.ndarray
    test: np.ndarray
    valid: np.ndarray
    seconds: float

    @classmethod
    def read(cls, file: Path) -> Member:
        """Read what `write` wrote."""
        with np.load(file, allow_pickle=False) as kept:
            return cls(str(kept["metric"]), kept["targets"], kept["test"], kept["valid"], float(kept["seconds"]))

    def write(self, file: Path) -> None:
        """Write a file that is complete or not there."""
        new = file.with_name(f"{file.stem}.unfinished.npz")
        np.savez_compressed(new, **vars(self))
        new.replace(file)


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder of MoleculeNet's files; MOLZOO_DATA unless it is named")
    parser.add_argument("--results", type=Path, required=True, help="folder of the predictions and of the table")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--molecules", type=int, default=400, help="how many of each set")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and train nothing")
    options = parser.parse_args()
    if not options.table:
        train_all(options.results, options.data_dir, options.epochs, options.molecules)
    table = "\n".join(draw_table(options.results))
    (options.results / "table.md").write_text(f"{table}\n", encoding="utf-8")
    print(table)


def file_of(results: Path, dataset: str, split_seed: int, model: str, number: int) -> Path:
    """Return the place of a member's predictions."""
    return results / f"{dataset}-split{split_seed}-{model}-{number}.npz"


def train_all(results: Path, data_dir: str | None, epochs: int, molecules: int) -> None:
    """Train the members that are not there, split seed by split seed, so that the first rows are complete early."""
    results.mkdir(parents=True, exist_ok=True)
    for split_seed in SPLIT_SEEDS:
        for name in DATASETS:
            source = DataOptions(source=name, data_dir=data_dir, split="scaffold", split_seed=split_seed)
            dataset = experiment.draw(experiment.load_dataset(source), molecules)
            for model, (recipe, count) in MODELS.items():
                asked = replace(recipe, data=source, training=TrainingOptions(epochs=epochs))
                for number, member in enumerate(EnsemblePlan(asked, tuple(range(count))).members):
                    file = file_of(results, name, split_seed, model, number)
                    if not file.exists():
                        train(member.recipe, dataset).write(file)
                        print(f"{file.stem}: {Member.read(file).seconds:.1f} s", flush=True)


def train(recipe: Recipe, dataset: zoo.data.MoleculeDataset) -> Member:
    """Train one model, and predict."""
    start = time.process_time()
    outcome = experiment.run(recipe, dataset=dataset, progress=False, device="cpu")
    split = outcome.history.split
    assert split is not None
    test, valid = (outcome.learner.predict(part).astype(np.float32) for part in (split.test, split.valid))
    seconds = time.process_time() - start
    return Member(dataset.metric, split.test.targets.astype(np.float32), test, valid, seconds)


def draw_table(results: Path) -> Iterator[str]:
    """Give the lines of the table: mean ± standard deviation over the split seeds, and processor time of one split."""
    found = {name: [seed for seed in SPLIT_SEEDS if complete(results, name, seed)] for name in DATASETS}
    header = [column(name, seeds, results) for name, seeds in found.items() if seeds]
    yield f"| | {' | '.join(header)} | processor time |"
    yield f"|---|{'---|' * (len(header) + 1)}"
    for row, parts in ROWS.items():
        cells, seconds = [], []
        for name, seeds in found.items():
            if seeds:
                scores, costs = zip(*(measure(results, name, seed, parts) for seed in seeds), strict=True)
                spread = f" ± {np.std(scores, ddof=1):.3f}" if len(scores) > 1 else ""
                cells.append(f"{np.mean(scores):.3f}{spread}")
                seconds.append(np.mean(costs))
        yield f"| {row} | {' | '.join(cells)} | {sum(seconds):.0f} s |"


def complete(results: Path, name: str, split_seed: int) -> bool:
    """Return whether all members of a data set and split are there."""
    return all(
        file_of(results, name, split_seed, model, number).exists()
        for model, (_, count) in MODELS.items()
        for number in range(count)
    )


def column(name: str, seeds: list[int], results: Path) -> str:
    """Return the heading of a data set: its metric, how many of its molecules, and on how many splits."""
    metric = Member.read(file_of(results, name, seeds[0], "grover", 0)).metric
    arrow = "↑" if higher_is_better(metric) else "↓"
    return f"{name} {metric.upper().replace('_', '-')} {arrow}, {len(seeds)} splits"


def measure(results: Path, name: str, split_seed: int, parts: list[tuple[str, int]]) -> tuple[float, float]:
    """Test score and processor time of an ensemble; of a single model the mean over all of its seeds."""
    members = {
        model: [Member.read(file_of(results, name, split_seed, model, number)) for number in range(MODELS[model][1])]
        for model, _ in parts
    }
    if parts[0][1] == 1 and len(parts) == 1:
        (alone,) = members.values()
        return float(np.mean([score(each, each.test) for each in alone])), float(np.mean([e.seconds for e in alone]))
    chosen = [(each, 1 / (len(parts) * count)) for model, count in parts for each in members[model][:count]]
    weights = np.array([weight for _, weight in chosen])
    mean, _ = combine(np.stack([each.test for each, _ in chosen]), weights)
    return score(chosen[0][0], mean), sum(each.seconds for each, _ in chosen)


def score(member: Member, predictions: np.ndarray) -> float:
    """Return the data set's own metric, the mean over the tasks where it is defined."""
    return metrics.compute(member.metric, member.targets, predictions).value


if __name__ == "__main__":
    main()
