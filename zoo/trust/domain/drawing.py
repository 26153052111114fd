"""The error of a learner on a data set against the similarity to what it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.kinds_apart import by_kind
from zoo.learners.predictor import Predictor
from zoo.trust.domain.finding import domain_of
from zoo.views.domain_plots import draw_error_by_similarity, error_by_similarity, label_errors


def draw_domain(predictor: Predictor, dataset: MoleculeDataset) -> Any:
    """Draw the mean error of molecules with labels, the least similar to the training molecules first.

    Args:
        predictor: A trained learner, a baseline or an ensemble.
        dataset: Molecules that it was not trained on.

    Returns:
        A figure; notebooks show it.

    Raises:
        NoDomain: Nothing tells what the predictor was trained on.
    """
    domain, exact = domain_of(predictor), dataset.without_bounds()
    errors = np.full(exact.targets.shape, np.nan)
    for part in by_kind(exact, predictor.predict(dataset)):
        errors[:, part.places] = label_errors(part.dataset, part.predictions)
    table = error_by_similarity(errors, domain.resemblance(dataset.smiles).similarity)
    return draw_error_by_similarity(table, domain.threshold)
