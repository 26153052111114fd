"""`pretrain`: train an encoder on molecules without labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from featurizers import PackedMolecules
from zoo.data import MoleculeDataset, MoleculeLoader, Split, featurize, prefetch
from zoo.data import load as load_data
from zoo.data.errors import DataError
from zoo.learners import Learner, assemble
from zoo.learners.parts import make_optimizer
from zoo.learners.watchers import watchers
from zoo.pretraining.labelling import LabellingFeaturizer
from zoo.pretraining.options import PretrainingOptions
from zoo.pretraining.vocabulary import Vocabulary, build_vocabularies, read_vocabularies, write_vocabularies
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import PRETRAINING
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.folder import RunFolder
from zoo.runs.json_files import read_json, write_json
from zoo.runs.opening import run_folder, running
from zoo.training import distributed
from zoo.training.history import History
from zoo.training.loop import TrainingRun
from zoo.training.modes import eval_mode
from zoo.training.randomness import keep_random_state, seed_generators

LOSS = "loss"
VALID_SEED = 0


@dataclass(frozen=True)
class PretrainingOutcome:
    """Outcome of pre-training.

    Args:
        learner: With the encoder of the best epoch and a head that is not trained.
        history: One record for each epoch.
        words: Sizes of the vocabularies of atoms and of bonds.
        molecules: Molecules trained and validated on.
    """

    learner: Learner
    history: History
    words: tuple[int, int]
    molecules: tuple[int, int]


@keep_random_state()
def pretrain(
    recipe: Recipe,
    options: PretrainingOptions | None = None,
    *,
    corpus: MoleculeDataset | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    device: str = "auto",
) -> PretrainingOutcome:
    """Train the encoder of a model on molecules without labels.

    Args:
        recipe: Model, optimizer, corpus (`recipe.data.source`) and training; `epochs` is 10 unless it is given.
        options: What is learned.
        corpus: Already loaded; `None` loads what the recipe names.
        folder: For checkpoints, vocabularies and TensorBoard; `zoo.build(init=folder)` starts from it. `None` writes
            nothing.
        resume: Continue the run in `folder`; it ends as if it had never stopped.
        progress: Show bars; `None` shows them in a terminal or notebook.
        device: As in `zoo.build`.

    Raises:
        DataError: The corpus holds too few molecules that can be read.
        CheckpointError: The folder holds another run.

    Example:
        >>> from zoo.recipe import Recipe, DataOptions, TrainingOptions
        >>> recipe = Recipe("gcn", data=DataOptions("b3db"), training=TrainingOptions(epochs=3))
        >>> outcome = pretrain(recipe, folder="pretrained")  # doctest: +SKIP
    """
    options = options or PretrainingOptions()
    place = run_folder(folder, resume, writes=distributed.is_main())
    learner = build_learner(recipe, options, device)
    objective = make_objective(learner, options)
    source, training = recipe.data or DataOptions(), recipe.training or TrainingOptions()
    training = replace(training, epochs=training.epochs or 10)
    dataset = load_data(source.source, replace(source, tasks=())) if corpus is None else corpus
    if place is not None:
        keep_options(place, options, resume)
    words = find_vocabularies(dataset, learner, options, training, place, resume)
    featurizer = LabellingFeaturizer(learner.featurizer, *words, groups=objective.motifs)
    packed = featurize(
        dataset,
        featurizer,
        num_workers=training.num_workers,
        cache_dir=training.cache_dir,
        progress=progress,
        on_invalid="empty",
    )
    parts = cut_corpus(dataset, np.flatnonzero(packed.num_atoms), options.valid_share, recipe.seed)
    learner.request = replace(learner.recipe, training=training, data=source)
    learner.fitted = replace(learner.fitted, untrained=("head",), ranks=distributed.size())
    seed_generators(recipe.seed)
    model = objective.make_model(learner, *words).to(learner.device)
    run = make_run(learner, model, objective, packed, featurizer, parts, training, place, progress)
    with running(place):
        if place is not None:
            place.open(learner.request, dataset, parts, resume)
            distributed.barrier()
            run.log = place.log
            run.restore(place)
        run.fit()
        if place is not None and place.writes:
            place.write_history(run.history.to_frame())
            place.write_metrics({"loss": run.history.best, "best_epoch": run.history.best_epoch})
    if run.best_weights:
        model.load_state_dict(run.best_weights)
    learner.model.eval()
    return PretrainingOutcome(learner, run.history, (len(words[0]), len(words[1])), tuple(map(len, parts.indices[:2])))  # type: ignore[arg-type]


def build_learner(recipe: Recipe, options: PretrainingOptions, device: str) -> Learner:
    """Build the model, GROVER with the branches for bonds that its objective needs."""
    if recipe.model.startswith("grover") and options.objective in (None, "context_and_motifs"):
        recipe = replace(recipe, model_args={"embedding_output": "both", **recipe.model_args})
    learner = assemble(recipe, device=device)
    if not isinstance(learner, Learner):
        raise TypeError(f"model {recipe.model!r} has no weights to pre-train: choose a graph model")
    return learner


def make_objective(learner: Learner, options: PretrainingOptions) -> Any:
    """Make what is minimised."""
    name = options.objective
    if name is None:
        name = "context_and_motifs" if learner.recipe.model.startswith("grover") else "masked_atoms"
    cls = PRETRAINING[name].resolve()
    return cls(mask_inputs=options.mask_inputs) if "mask_inputs" in cls.__dataclass_fields__ else cls()


def keep_options(place: RunFolder, options: PretrainingOptions, resume: bool) -> None:
    """Write the options, or compare them with those of the run to resume."""
    file, given = place.path / "pretraining.json", dataclasses.asdict(options)
    stored = read_json(file) if resume and file.exists() else None
    if stored is not None and from_mapping(PretrainingOptions, stored) != options:
        raise CheckpointError(f"{place.path} holds a run with other options of pre-training: {stored}")
    if stored is None and place.writes:
        place.path.mkdir(parents=True, exist_ok=True)
        write_json(file, given)


def find_vocabularies(
    dataset: MoleculeDataset,
    learner: Learner,
    options: PretrainingOptions,
    training: TrainingOptions,
    place: RunFolder | None,
    resume: bool,
) -> tuple[Vocabulary, Vocabulary]:
    """Read the vocabularies of the run to resume, or count the words of the corpus and write them."""
    file = None if place is None else place.path / "vocabularies.json"
    if resume and file is not None and file.exists():
        return read_vocabularies(file)
    words = build_vocabularies(
        dataset.smiles,
        learner.featurizer,
        min_count=options.min_count,
        max_size=options.max_words,
        num_workers=training.num_workers,
    )
    if place is not None and file is not None and place.writes:
        write_vocabularies(file, *words)
    return words


def cut_corpus(dataset: MoleculeDataset, readable: np.ndarray, share: float, seed: int) -> Split:
    """Draw the validation part from the molecules that can be read.

    Raises:
        DataError: A part would be empty.
    """
    order = np.random.default_rng(seed).permutation(readable)
    number = max(1, round(share * len(order)))
    if len(order) <= number:
        raise DataError(f"{dataset.name}: {len(order)} molecules can be read, which is too few to pre-train on")
    empty = np.empty(0, dtype=np.int64)
    return Split(dataset, (np.sort(order[number:]), np.sort(order[:number]), empty), "random", seed)


def make_run(
    learner: Learner,
    model: nn.Module,
    objective: Any,
    packed: PackedMolecules,
    featurizer: LabellingFeaturizer,
    parts: Split,
    training: TrainingOptions,
    place: RunFolder | None,
    progress: bool | None,
) -> TrainingRun:
    """Put the training run together."""
    recipe = learner.request

    def loader(rows: np.ndarray, shuffle: bool) -> MoleculeLoader:
        # A label of 0 for each molecule: all count alike.
        labels = np.zeros((len(packed), 1), dtype=np.float32)
        batch_size = training.batch_size
        return MoleculeLoader(
            packed, featurizer, labels, batch_size=batch_size, shuffle=shuffle, seed=recipe.seed, indices=rows
        )

    train, valid = (np.asarray(rows) for rows in parts.indices[:2])
    run = TrainingRun(
        model,
        make_optimizer(recipe.optimizer, recipe, model),
        loader(train, shuffle=True),
        objective=objective,
        options=training,
        recipe=recipe,
        fitted=learner.fitted,
        metric=LOSS,
        validate=validation_of(model, objective, loader(valid, shuffle=False)),
        callbacks=list(watchers(training, place, progress)),
    )
    run.history.split = parts
    return run


def validation_of(model: nn.Module, objective: Any, loader: MoleculeLoader) -> Callable[[], dict[str, float]]:
    """Return a function that measures the loss on the validation part, with the same atoms drawn each time."""

    def measure() -> dict[str, float]:
        sums: dict[str, float] = {}
        device = next(model.parameters()).device
        with eval_mode(model), torch.no_grad(), same_draws():
            for batch in prefetch(iter(loader), device):
                found = objective(model, batch)
                for name, value in {LOSS: found.total, **found.parts}.items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(batch)
        return {name: value / len(loader.indices) for name, value in sums.items()}

    return measure


@contextmanager
def same_draws():
    """Draw from a seed of its own in the block; the random state is then as it was."""
    state = torch.get_rng_state()
    torch.manual_seed(VALID_SEED)
    try:
        yield
    finally:
        torch.set_rng_state(state)
