"""`CardSource`: a trained model with its data, its test predictions and what was computed from them once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset, Split
from zoo.data.kinds_apart import KindPart, by_kind
from zoo.data.split_report import SplitReport
from zoo.learners.predictor import Predictor
from zoo.runs.folder import RunFolder
from zoo.tasks import Evaluation
from zoo.trust.domain import Domain, Resemblance, domain_of
from zoo.views.domain_plots import label_errors


@dataclass(frozen=True)
class CardSource:
    """Content of a card: a model, its data and its predictions.

    Args:
        learner: The trained model.
        split: The parts of its data.
        test: The test molecules: those of the split, or of a file of their own.
        predictions: Of the test molecules (n, T) or (n, T, C).
        scores: Metrics of these predictions; `None` without test molecules.
        place: Folder of the run.
    """

    learner: Predictor
    split: Split
    test: MoleculeDataset
    predictions: np.ndarray
    scores: Evaluation | None
    place: RunFolder

    @property
    def dataset(self) -> MoleculeDataset:
        """All of the data."""
        return self.split.dataset

    @property
    def metric(self) -> str:
        """Metric that decides."""
        return self.test.metric

    @cached_property
    def report(self) -> SplitReport:
        """Sizes of the parts, and what they share."""
        return self.split.report()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Facts of the run: versions, machine, command."""
        return self.place.facts

    @cached_property
    def results(self) -> dict[str, Any]:
        """Results of the run in numbers."""
        return self.place.metrics

    @cached_property
    def domain(self) -> Domain:
        """Training molecules."""
        return domain_of(self.learner)

    @cached_property
    def resemblance(self) -> Resemblance:
        """Similarity of the test molecules to the training molecules."""
        return self.domain.resemblance(self.test.smiles)

    @cached_property
    def by_kind(self) -> list[KindPart]:
        """Test molecules and predictions of each kind of target."""
        return list(by_kind(self.shown_test, self.predictions))

    @cached_property
    def errors(self) -> np.ndarray:
        """Error (n, T) of each test label, see `label_errors`."""
        errors = np.full(self.shown_test.targets.shape, np.nan)
        for part in self.by_kind:
            errors[:, part.places] = label_errors(part.dataset, part.predictions)
        return errors

    @cached_property
    def shown_test(self) -> MoleculeDataset:
        """Test molecules, with the labels that are exact."""
        return self.test.without_bounds()
