"""`mc_dropout`: predictions with dropout left on, several times."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from featurizers import PackedMolecules
from zoo.learners.learner import Learner
from zoo.learners.predictor import Predictor
from zoo.trust.estimator import Estimator, Told, combine
from zoo.trust.passes import draw_passes, require_passes
from zoo.trust.scoring import make_loader, read_scores, run_batches

KINDS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


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
        loader = make_loader(learner, packed, batch_size)

        def predict_once(seeded: Any) -> Told:
            with torch.no_grad():
                return read_scores(learner, run_batches(model, loader, lambda graph: seeded(model, graph)))

        return combine([predict_once(seeded) for seeded in draw_passes(self.passes, self.seed)])


def dropping_modules(model: nn.Module) -> list[nn.Module]:
    """Modules that drop something in training mode, and would in prediction with their own flag set.

    Dropout is a module of torch, a number `dropout` of the module that applies it, or the first of a sequence whose
    flag is read by those that run its parts themselves. Flags of other modules, such as batch normalization, stay.
    """
    found = []
    for module in model.modules():
        number = getattr(module, "dropout", None)
        itself = isinstance(module, KINDS) and module.p > 0  # type: ignore[operator]
        holds = isinstance(module, nn.Sequential) and any(isinstance(part, KINDS) and part.p > 0 for part in module)  # type: ignore[operator]
        if itself or holds or (isinstance(number, float) and number > 0):
            found.append(module)
    return found
