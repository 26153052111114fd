"""Protocol of the learners whose sharpness is measured."""

from __future__ import annotations

from typing import Any, Protocol

from torch import nn

from featurizers import Featurizer
from zoo.data import FeaturizedMolecules, MoleculeDataset
from zoo.recipe import Recipe
from zoo.tasks import TargetScaler, Task, Weighting


class TrainedModel(Protocol):
    """A model with what it was trained on: `zoo.Learner` is one."""

    recipe: Recipe
    featurizer: Featurizer
    model: nn.Module

    @property
    def task(self) -> Task:
        """Kind of target."""

    @property
    def weighting(self) -> Weighting | None:
        """Weights of tasks and classes in the loss."""

    @property
    def scaler(self) -> TargetScaler | None:
        """Scaling of regression targets."""

    def complete(self, packed: FeaturizedMolecules) -> FeaturizedMolecules:
        """Scale what molecules carry next to their structure, and join it to their descriptors."""

    def check_dataset(self, data: Any) -> MoleculeDataset:
        """Return the data set if its tasks are those that the model was trained for."""
