"""Cards of runs that have ended: everything is loaded again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from zoo.experiments.card import Card, CardOptions, CardSource, write_card
from zoo.experiments.parts import REMEDY, load_again
from zoo.experiments.testing import choose_test
from zoo.learners.labels import as_kind
from zoo.learners.loading import load
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.ensemble_folder import open_ensemble
from zoo.runs.folder import DOMAIN, RunFolder
from zoo.tasks import Evaluation
from zoo.trust.domain import set_domain, write_domain


def write_cards(
    run: str | Path,
    options: CardOptions | None = None,
    *,
    data: str | None = None,
    device: str = "auto",
    trust: bool = False,
) -> list[Card]:
    """Write the card of a run, or those of the members of an ensemble; what the domain needs is written where it lacks.

    Args:
        run: Folder of a run, a checkpoint or an ensemble.
        options: Of the cards; `None` takes the defaults.
        data: New place of the run's data; `None` takes what its recipe names.
        device: As in `zoo.load`.
        trust: As in `zoo.load`.

    Raises:
        CheckpointError: The folder holds no run that has kept its parts.
        DataNotFoundError: The data are no longer where they were.
        DataChanged: The data are not those of the run.
    """
    found = open_ensemble(run)
    places = [Path(run)] if found is None else found.places
    return [write_card(read_source(place, data, device, trust), options or CardOptions()) for place in places]


def read_source(run: str | Path, data: str | None = None, device: str = "auto", trust: bool = False) -> CardSource:
    """Load a run, cut its data as it did, and predict the test molecules; arguments and errors as in `write_cards`."""
    place = RunFolder.of(run)
    saved = place.split
    if saved is None:
        raise CheckpointError(
            f"{place.path} is not the folder of a run (it has no split.json): a card tells what a run was trained and "
            "tested on, and a checkpoint alone does not know it"
        )
    learner = load(str(run), device=device, trust=trust)
    asked = learner.recipe.asked_data
    if data is not None:
        asked = dataclasses.replace(asked, source=data)
    dataset = as_kind(load_again(asked, place, data), learner.fitted.task)
    split = saved.cut(dataset, str(place.path), REMEDY)
    test = as_kind(choose_test(split, asked), learner.fitted.task)
    if not (place.path / DOMAIN).exists():
        write_domain(set_domain(learner, split.train, split.valid), place.path)
    scores: Evaluation | None = None
    predictions: np.ndarray = np.empty((0, test.num_tasks), np.float32)
    if len(test):
        predictions = learner.predict(test)
        scores = learner.score(test, predictions)
    return CardSource(learner, split, test, predictions, scores, place)
