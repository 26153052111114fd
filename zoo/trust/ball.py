"""`ball`: spread of the predictions of weights within SAM's radius."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from featurizers import PackedMolecules
from zoo.learners import evaluation
from zoo.learners.learner import Learner
from zoo.learners.predictor import Predictor
from zoo.registry.catalog.targets import CLASSES, ZERO_ONE
from zoo.tasks import Task
from zoo.tasks.mixed import Mixed
from zoo.trust.estimator import Estimator, Told, combine
from zoo.trust.passes import draw_passes, require_passes
from zoo.trust.scoring import make_loader, read_scores, run_batches

RADIUS = 0.05  # the default of SAM
DIRECTIONS = ("random", "ascent")


@dataclass(frozen=True)
class Ball(Estimator):
    """Spread of predictions over weights at the distance `rho` from the trained ones.

    A molecule whose prediction the flat minimum does not fix moves more than others. "random" takes directions evenly
    from the sphere. "ascent" takes, for each batch, the direction in which the loss rises fastest for labels that are
    drawn from the model's own prediction; what it tells of a molecule then depends on its batch too, and a pass costs
    three. The prediction itself is that of the trained weights, and the size of the spread means little before it is
    calibrated: compare molecules by it.

    Args:
        passes: Perturbed passes, at least 2.
        rho: Radius in the norm of all weights, above 0; None takes that of the optimizer, or 0.05 where it has none.
        direction: "random" or "ascent".
        seed: Of the directions.

    Raises:
        ValueError: An option out of its range.

    Reference:
        Foret et al. 2021 (arXiv:2010.01412) for the ball; the estimator is this project's own.
    """

    passes: int = 20
    rho: float | None = None
    direction: str = "random"
    seed: int = 0

    name = "ball"

    def __post_init__(self) -> None:
        require_passes(self.passes)
        if self.rho is not None and not self.rho > 0:
            raise ValueError(f"rho={self.rho}: give a radius above 0")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction={self.direction!r}: choose one of {', '.join(DIRECTIONS)}")

    def misfit(self, learner: Predictor) -> str:
        """Say that the model has no weights that could be perturbed."""
        if isinstance(learner, Learner):
            return ""
        return f"model {learner.recipe.model!r} has no weights to perturb"

    def tell(self, learner: Any, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Predict with the trained weights, then with perturbed ones of a copy: the learner's own are never touched."""
        loader = make_loader(learner, packed, batch_size)
        center = read_scores(learner, evaluation.run_model(learner.model, loader))
        probe = Probe(copy.deepcopy(learner.model).eval(), learner.task, self.rho or radius_of(learner))
        score = probe.score_at_random if self.direction == "random" else probe.score_uphill
        moved = [
            read_scores(learner, run_batches(probe.model, loader, lambda graph, seeded=seeded: seeded(score, graph)))
            for seeded in draw_passes(self.passes, self.seed)
        ]
        spread = combine(moved)
        return Told(center.mean, spread.variance, center.interval)


class Probe:
    """A model whose weights are perturbed for one batch at a time.

    Args:
        model: In evaluation mode; its weights end as they were.
        task: Its kind of target.
        radius: Norm of a perturbation.
    """

    def __init__(self, model: nn.Module, task: Task, radius: float) -> None:
        self.model, self.task, self.radius = model, task, radius
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        self._trained = [weight.detach().clone() for weight in self._weights]

    def score_at_random(self, graph: Any) -> Tensor:
        """Scores (B, S) of weights in a random direction."""
        return self._score_along([torch.randn_like(weight) for weight in self._trained], graph)

    def score_uphill(self, graph: Any) -> Tensor:
        """Scores (B, S) of weights in the direction in which the loss of drawn labels rises fastest."""
        with torch.enable_grad():
            scores = self.model(graph)
            loss = self.task.elementwise_loss(scores, draw_labels(self.task, scores.detach())).sum()
            gradient = torch.autograd.grad(loss, self._weights, allow_unused=True)
        moves = [torch.zeros_like(w) if g is None else g for w, g in zip(self._weights, gradient, strict=True)]
        return self._score_along(moves, graph)

    @torch.no_grad()
    def _score_along(self, direction: list[Tensor], graph: Any) -> Tensor:
        norm = torch.stack([move.norm() for move in direction]).norm().clamp(min=1e-12)
        try:
            for weight, move in zip(self._weights, direction, strict=True):
                weight.add_(move * (self.radius / norm))
            return self.model(graph)
        finally:
            for weight, trained in zip(self._weights, self._trained, strict=True):
                weight.copy_(trained)


def draw_labels(task: Task, scores: Tensor) -> Tensor:
    """Labels (B, T) drawn from what scores (B, S) predict; numbers with the told deviation, or else with 1."""
    if isinstance(task, Mixed):
        labels = scores.new_empty(len(scores), len(task.kinds))
        for group in task.groups:
            labels[:, group.places] = draw_labels(group.task, scores[:, group.scores])
        return labels
    predicted, spread = task.to_predictions(scores), task.to_spread(scores)
    if task.labels == ZERO_ONE:
        return torch.bernoulli(predicted)
    if task.labels == CLASSES:
        return torch.multinomial(predicted.flatten(0, 1), 1).view(predicted.shape[:2]).to(scores.dtype)
    return predicted + torch.randn_like(predicted) * (1.0 if spread is None else spread)


def radius_of(learner: Learner) -> float:
    """Radius that the learner's optimizer was given, or SAM's default where it has none."""
    by_rise = getattr(learner.optimizer, "rise", None) is not None
    return float(getattr(learner.optimizer, "current_rho" if by_rise else "rho", None) or RADIUS)
