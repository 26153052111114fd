"""The parts themselves."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

import zoo
from featurizers import CanonicalFeaturizer
from zoo.layers.message_passing import mean_nodes
from zoo.tasks.task import Regression


@zoo.register_featurizer("example_features", summary="Canonical features, the atoms' ones times a factor")
class ExampleFeaturizer(CanonicalFeaturizer):
    """Canonical features whose atoms are scaled.

    Args:
        factor: Factor of the atom features.
        **options: Of `CanonicalFeaturizer`.
    """

    name = "example_features"

    def __init__(self, factor: float = 1.0, **options) -> None:
        super().__init__(**options)
        self.factor = factor

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Features of the codes, scaled."""
        return (super().expand_atoms(codes) * self.factor).astype(np.float32)


@zoo.register_model("example_mean", featurizer="example_features", summary="A linear model of mean atom features")
class ExampleMean(nn.Module):
    """A linear model.

    Args:
        num_tasks: T.
        atom_size: Width of the atom features.
        bias: Add a bias.
    """

    def __init__(self, num_tasks: int, atom_size: int, bias: bool = True) -> None:
        super().__init__()
        self.head = nn.Linear(atom_size, num_tasks, bias)

    def forward(self, graph) -> Tensor:
        """Scores (B, T)."""
        return self.head(mean_nodes(graph.graph, graph.atom_feats))


@zoo.register_task("example_median", summary="A number: its median")
class ExampleMedian(Regression):
    """A number, learned by its absolute error."""

    metrics = ("example_error", "mae")
    default_metric = "example_error"

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Absolute error (B, T)."""
        return torch.abs(scores - targets)


@zoo.register_metric("example_error", fits=["regression"], higher_is_better=False, summary="A quantile of the error")
def example_error(targets: np.ndarray, predictions: np.ndarray, quantile: float = 1.0) -> float:
    """Quantile of the absolute error."""
    return float(np.quantile(np.abs(targets - predictions), quantile))


@zoo.register_split("example_length", summary="Short SMILES train, long ones test")
def example_length(dataset, *, fractions=(0.8, 0.1, 0.1)):
    """Positions of the three parts, by the length of the SMILES."""
    order = sorted(range(len(dataset)), key=lambda row: len(dataset.smiles[row]))
    first, second = int(fractions[0] * len(order)), int((fractions[0] + fractions[1]) * len(order))
    return order[:first], order[first:second], order[second:]
