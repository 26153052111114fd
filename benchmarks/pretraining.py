"""Does pre-training pay? A small GROVER, from scratch and pre-trained, on shares of the training molecules.

    python benchmarks/pretraining.py --corpus corpus.csv --data-dir moleculenet --results benchmarks/results/pretraining
    python benchmarks/pretraining.py --results benchmarks/results/pretraining --table

One pre-training (hidden size 64, 3 layers; the folder `--work` is resumed), then for each data set, share of the
training part and split seed a model from scratch and one that starts from the pre-trained encoder, with the same
options and epochs. On all of the training part the pre-trained one is also fine-tuned with GraphSAM and with SAM.
Every result is a line of `runs.csv`; runs that are there are not repeated, so that a call that was cut off goes on.

Smaller shares train for more epochs, so that the steps of a run differ less than its molecules: `EPOCHS` has the
multiples. The models are small and few steps are taken: the table compares the two starts with each other, not with
published scores. All of it takes two to three hours of one core; `--workers` shares it among several.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import zoo
from zoo.experiments import experiment
from zoo.pretraining import pretrain
from zoo.recipe import DataOptions, Recipe, StartOptions, TrainingOptions
from zoo.registry.kinds import higher_is_better

DATASETS = ("bbbp", "esol", "bace")
SHARES = (0.1, 0.3, 1.0)
EPOCHS = {0.1: 4, 0.3: 2, 1.0: 1}
"""Multiple of `--epochs` that each share trains for."""
SMALL = {"hidden_size": 64, "num_layers": 3, "dropout": 0.1, "embedding_output": "both"}
ARMS = {"scratch": "adam", "pre-trained": "adam", "pre-trained, graphsam": "graphsam", "pre-trained, sam": "sam"}
"""Optimizer of each arm; the last two run on the complete training part only."""
Task = tuple[str, float, str, int]
"""Data set, share, arm and seed of a run."""
FIELDS = ("dataset", "share", "arm", "seed", "metric", "test", "valid", "molecules", "epochs", "cpu_seconds")


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", help="file of molecules to pre-train on")
    parser.add_argument("--data-dir", help="folder of MoleculeNet's files; MOLZOO_DATA unless it is named")
    parser.add_argument("--results", type=Path, required=True, help="folder of runs.csv, table.md and figure.png")
    parser.add_argument("--work", type=Path, default=Path("pretrained"), help="folder of the pre-training")
    parser.add_argument("--molecules", type=int, default=30_000, help="of the corpus, drawn once")
    parser.add_argument("--pretraining-epochs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10, help="of fine-tuning on the complete training part")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="processes, each with one thread")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and train nothing")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    if not options.table:
        prepare(options)
        compare(options)
    table = "\n".join(draw_table(options.results))
    (options.results / "table.md").write_text(f"{table}\n", encoding="utf-8")
    draw_figure(options.results)
    print(table)


def prepare(options: argparse.Namespace) -> None:
    """Pre-train, or go on with it."""
    corpus = zoo.data.load(options.corpus, tasks=())
    drawn = np.random.default_rng(0).permutation(len(corpus))[: options.molecules]
    training = TrainingOptions(epochs=options.pretraining_epochs, batch_size=64, checkpoint_every=100)
    recipe = Recipe("grover", model_args=SMALL, data=DataOptions("corpus"), training=training)
    start = time.process_time()
    outcome = pretrain(recipe, corpus=corpus.subset(np.sort(drawn)), folder=options.work, resume=True, progress=False)
    losses = ", ".join(f"{record.valid['loss']:.3f}" for record in outcome.history.epochs)
    print(f"pre-training: validation loss {losses}; {time.process_time() - start:.0f} s of processor time", flush=True)


def compare(options: argparse.Namespace) -> None:
    """Train the models that are not there, seed by seed, the longest first."""
    done = {(row["dataset"], row["share"], row["arm"], row["seed"]) for row in read_rows(options.results)}
    tasks = [
        (name, share, arm, seed)
        for seed in range(options.seeds)
        for share in sorted(SHARES, reverse=True)
        for name in DATASETS
        for arm in (ARMS if share == 1.0 else list(ARMS)[:2])
        if (name, share, arm, seed) not in done
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, context, torch.set_num_threads, (1,)) as pool:
        for finished in as_completed([pool.submit(train, options, task) for task in tasks]):
            add_row(options.results, finished.result())


def train(options: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Train one model on a share of the training part, and measure it."""
    name, share, arm, seed = task
    source = DataOptions(source=name, data_dir=options.data_dir, split="scaffold")
    dataset = experiment.load_dataset(source)
    split = zoo.data.split_dataset(dataset, "scaffold", seed=seed)
    order = np.random.default_rng(seed).permutation(split.indices[0])
    part = np.sort(order[: max(16, round(share * len(order)))])
    split = replace(split, indices=(part, *split.indices[1:]))
    start = None if arm == "scratch" else StartOptions(init=str(options.work))
    epochs = options.epochs * EPOCHS[share]
    training = TrainingOptions(epochs=epochs, batch_size=16 if share < 1 else 32)
    recipe = Recipe("grover", ARMS[arm], model_args=SMALL, seed=seed, data=source, training=training, start=start)
    began = time.process_time()
    outcome = experiment.run(recipe, dataset=dataset, split=split, progress=False, device="cpu")
    seconds = time.process_time() - began
    values = (dataset.name, share, arm, seed, dataset.metric, outcome.test[dataset.metric], outcome.history.best)
    return dict(zip(FIELDS, (*values, len(part), epochs, round(seconds, 1)), strict=True))


def read_rows(results: Path) -> list[dict[str, Any]]:
    """Read the runs that are there."""
    file = results / "runs.csv"
    return pd.read_csv(file).to_dict("records") if file.exists() else []


def add_row(results: Path, row: dict[str, Any]) -> None:
    """Add a run."""
    file = results / "runs.csv"
    new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, FIELDS)
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()), flush=True)


def draw_table(results: Path) -> Iterator[str]:
    """Give the lines of the table: mean ± standard deviation over the seeds, of scores and of paired differences."""
    runs = pd.DataFrame(read_rows(results), columns=FIELDS)
    yield "| data set | share | arm | test | better by, paired | than | seeds |"
    yield "|---|---|---|---|---|---|---|"
    for name in DATASETS:
        for share in SHARES:
            group = runs[(runs["dataset"] == name) & (runs["share"] == share)]
            scores = group.pivot_table(index="seed", columns="arm", values="test")
            for arm in filter(scores.columns.__contains__, ARMS):
                first = f"{name} ({group['metric'].iloc[0]}) | {share:.0%} | {arm}"
                test, seeds = spread(scores[arm].dropna()), scores[arm].count()
                yield f"| {first} | {test} | {compare_arms(group, arm)} | {seeds} |"


def compare_arms(group: pd.DataFrame, arm: str) -> str:
    """Give the cells of the difference to the arm that another one is compared with: how large, and which."""
    other = {"scratch": None, "pre-trained": "scratch"}.get(arm, "pre-trained")
    if other is None:
        return " | "
    gain = gains(group, arm, other)
    return f"{gain.mean():+.3f} ± {gain.std(ddof=1):.3f} ({(gain > 0).sum()} of {len(gain)}) | {other}"


def gains(group: pd.DataFrame, arm: str, other: str) -> pd.Series:
    """Return by how much an arm is better than another one, seed by seed."""
    scores = group.pivot_table(index="seed", columns="arm", values="test")
    return (scores[arm] - scores[other]).dropna() * (1 if higher_is_better(group["metric"].iloc[0]) else -1)


def spread(column: pd.Series) -> str:
    """Give mean and standard deviation."""
    return f"{column.mean():.3f} ± {column.std(ddof=1):.3f}"


def draw_figure(results: Path) -> None:
    """Draw the learning curves by training size."""
    from matplotlib.figure import Figure

    runs = pd.DataFrame(read_rows(results), columns=FIELDS)
    names = list(dict.fromkeys(runs["dataset"]))
    figure = Figure(figsize=(4 * max(len(names), 1), 3.2), layout="constrained")
    for name, axes in zip(names, np.atleast_1d(figure.subplots(1, max(len(names), 1))), strict=False):
        of_set = runs[runs["dataset"] == name]
        for arm, color in (("scratch", "0.5"), ("pre-trained", "tab:blue")):
            found = of_set[of_set["arm"] == arm].groupby("molecules")["test"].agg(["mean", "std"])
            axes.errorbar(found.index, found["mean"], found["std"], label=arm, color=color, marker="o", capsize=3)
        axes.set(title=name, xlabel="training molecules", ylabel=of_set["metric"].iloc[0], xscale="log")
        axes.set_xticks(found.index, [f"{number:.0f}" for number in found.index])
        axes.minorticks_off()
        axes.legend()
    figure.savefig(results / "figure.png", dpi=110)


if __name__ == "__main__":
    main()
