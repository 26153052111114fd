"""`mc_dropout`: predictions with dropout left on, several times."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch

from featurizers import PackedMolecules
from zoo.layers.dropping import dropping_modules
from zoo.learners.batches import prediction_loader
from zoo.learners.learner import Learner
from zoo.learners.predictor import Predictor
from zoo.trust.estimator import Estimator, Told, combine
from zoo.trust.passes import draw_passes, require_passes
from zoo.trust.scoring import read_scores, run_batches


@dataclass(frozen=True)
class McDropout(Estimator):
    """Spread of predictions with dropout on; batch normalization stays as in prediction.

    Passes of the same seed, number and batch size drop the same. The prediction is the mean over the passes.

    Args:
        passes: Forward passes, at least 2.
        seed: Of what is dropped.

    Raises:
        ValueError: Fewer than two passes.

    Reference:
        Gal & Ghahramani 2016 (arXiv:1506.02142).
    """

    passes: int = 20
    seed: int = 0

    name = "mc_dropout"

    def __post_init__(self) -> None:
        require_passes(self.passes)

    def misfit(self, learner: Predictor) -> str:
        """Say that the model drops nothing."""
        if not isinstance(learner, Learner):
            return f"model {learner.recipe.model!r} has no dropout"
        if dropping_modules(learner.model):
            return ""
        return f"this {learner.recipe.model!r} has no dropout (trained with a dropout option above 0 it would have)"

    def tell(self, learner: Any, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Predict several times."""
        model = copy.deepcopy(learner.model).eval()
        for module in dropping_modules(model):
            module.training = True
        loader = prediction_loader(model, learner.featurizer, packed, batch_size)

        def predict_once(seeded: Any) -> Told:
            with torch.no_grad():
                return read_scores(learner, run_batches(model, loader, lambda graph: seeded(model, graph)))

        return combine([predict_once(seeded) for seeded in draw_passes(self.passes, self.seed)])
