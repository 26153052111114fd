"""Speed of a step of pre-training, next to its matrix products alone, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/pretraining_speed.py --corpus corpus.csv --output speed.jsonl

Step and products take turns on the same batches; seconds are those of the processor, so that other work on the machine
counts less. A JSON line for each model.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from products import Products, record_products

import zoo
from zoo.learners.parts import make_optimizer
from zoo.pretraining import PretrainingOptions
from zoo.pretraining.labelling import LabellingFeaturizer
from zoo.pretraining.pretraining import build_learner, make_objective
from zoo.pretraining.vocabulary import build_vocabularies
from zoo.recipe import Recipe

MODELS = {"grover_64_3": {"hidden_size": 64, "num_layers": 3}, "grover_100_3": {"hidden_size": 100, "num_layers": 3}}
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="file of molecules")
    parser.add_argument("--batches", type=int, default=16, help="of 64 molecules")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--output", type=Path, help="file that the lines are also appended to")
    options = parser.parse_args()
    corpus = zoo.data.load(options.corpus, tasks=())
    drawn = np.random.default_rng(0).permutation(len(corpus))[: options.batches * BATCH]
    for name, model_args in MODELS.items():
        line = json.dumps({"model": name, **measure(corpus.subset(np.sort(drawn)), model_args, options.turns)})
        print(line, flush=True)
        if options.output:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def measure(corpus: Any, model_args: dict[str, Any], turns: int) -> dict[str, Any]:
    """Time a step and its products in turns."""
    step, batches = make_step(corpus, model_args)
    products = record_products(step, batches)
    multiply = Products()
    multiply.prepare(products)
    step(batches[0])
    pairs = [(seconds(step, batches), seconds(multiply, products)) for _ in range(turns)]
    ratios = [alone / complete for complete, alone in pairs]
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "molecules": len(corpus),
        "molecules_per_second": round(len(corpus) / median(complete for complete, _ in pairs), 1),
        "share_of_products": round(median(ratios), 3),
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
    }


def make_step(corpus: Any, model_args: dict[str, Any]) -> tuple[Callable[[Any], None], list[Any]]:
    """Make a step of GROVER's pre-training with Adam, and its batches."""
    options = PretrainingOptions()
    recipe = Recipe("grover", model_args={**model_args, "dropout": 0.1})
    learner = build_learner(recipe, options, "cpu")
    objective = make_objective(learner, options)
    words = build_vocabularies(corpus.smiles, learner.featurizer)
    featurizer = LabellingFeaturizer(learner.featurizer, *words, groups=objective.motifs)
    packed = zoo.data.featurize(corpus, featurizer)
    labels = np.zeros((len(packed), 1), dtype=np.float32)
    batches = list(zoo.data.MoleculeLoader(packed, featurizer, labels, batch_size=BATCH))
    model = objective.make_model(learner, *words).train()
    optimizer = make_optimizer("adam", recipe, model)

    def step(batch: Any) -> None:
        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = objective(model, batch).total
            loss.backward()
            return loss

        optimizer.step(closure)

    return step, batches


def seconds(run: Callable[[Any], None], inputs: list[Any]) -> float:
    """Processor time of a function over its inputs."""
    started = time.process_time()
    for each in inputs:
        run(each)
    return time.process_time() - started


if __name__ == "__main__":
    main()
