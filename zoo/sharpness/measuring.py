"""Sharpness of the minimum that a model has found: loss rise within a ball, and curvature.

Sharpness is measured on fixed molecules, see `zoo.sharpness.LossSurface`. Two models of different architecture, or of
very different weight norm, are not comparable by these numbers: rescaling weights changes them without changing any
prediction (Dinh et al. 2017, arXiv 1703.04933). `adaptive` is invariant to some of these rescalings.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from optim import Vector
from zoo.data import MoleculeDataset
from zoo.sharpness.curvature import Hessian
from zoo.sharpness.surface import LossSurface

if TYPE_CHECKING:
    from zoo.sharpness.protocol import TrainedModel

NAN = float("nan")


@dataclass(frozen=True)
class SharpnessReport:
    """Sharpness of one model on some molecules. A model whose loss is not finite has NaN everywhere.

    Args:
        molecules: How many it was measured on.
        loss: At the weights.
        grad_norm: Norm of the gradient there.
        rho: Radius of the ball.
        adaptive: The ball scales with the weights.
        loss_rise: Rise of the loss along the gradient by `rho`, which SAM calls sharpness; 0 where the gradient is 0.
        random_rise: Largest rise over the random directions; NaN without any. Like `loss_rise` a lower bound of the
            largest rise in the ball.
        directions: How many random directions.
        eigenvalues: Largest eigenvalues of the Hessian, in descending order.
        trace: Of the Hessian, estimated; NaN where the Hessian was left out.
        trace_error: Standard error of the estimate.
        exact: Products with the Hessian were second derivatives, not differences of gradients (see `Hessian`).
    """

    molecules: int
    loss: float
    grad_norm: float
    rho: float
    adaptive: bool
    loss_rise: float
    random_rise: float
    directions: int
    eigenvalues: tuple[float, ...]
    trace: float
    trace_error: float
    exact: bool

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files and tables; `None` for those not measured or not finite."""
        values = dataclasses.asdict(self)
        values["eigenvalues"] = list(self.eigenvalues)
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}

    def __str__(self) -> str:
        ball = "ball scaled to the weights, " if self.adaptive else ""
        lines = [
            f"molecules            {self.molecules}",
            f"loss                 {self.loss:.4f}, norm of the gradient {self.grad_norm:.4g}",
            f"loss rise            {self.loss_rise:.4g} along the gradient ({ball}rho {self.rho:g})",
        ]
        if self.directions:
            lines.append(f"                     {self.random_rise:.4g} at most in {self.directions} random directions")
        if self.eigenvalues:
            label = "eigenvalue          " if len(self.eigenvalues) == 1 else "eigenvalues         "
            how = "" if self.exact else ", from differences of gradients"
            lines.append(f"{label} {', '.join(f'{v:.4g}' for v in self.eigenvalues)} (largest of the Hessian{how})")
            lines.append(f"trace of the Hessian {self.trace:.4g} ± {self.trace_error:.2g}")
        return "\n".join(lines)


def measure(
    learner: TrainedModel,
    dataset: MoleculeDataset,
    *,
    rho: float = 0.05,
    adaptive: bool = False,
    eta: float = 0.01,
    directions: int = 8,
    eigenvalues: int = 1,
    trace_probes: int = 2,
    max_molecules: int | None = 128,
    batch_size: int = 64,
    stochastic: bool = False,
    seed: int = 0,
) -> SharpnessReport:
    """Measure the sharpness of a trained model.

    Args:
        learner: With a differentiable model.
        dataset: With labels, usually the training part, whose loss was minimised.
        rho: Radius of the ball, > 0.
        adaptive: Scale the ball to the weights, as ASAM does: ‖ε / (|w| + eta)‖ = rho.
        eta: Added to |w| when adaptive.
        directions: Random directions to try; 0 tries none.
        eigenvalues: How many of the Hessian's largest eigenvalues; 0 leaves out eigenvalues and trace. The slowest
            part: a product with the Hessian costs two to four passes, and an eigenvalue takes some ten products.
        trace_probes: Random vectors that estimate the trace of the Hessian, at least 2.
        max_molecules: Measure on at most so many molecules, drawn with `seed`; `None` takes all.
        batch_size: Molecules at a time.
        stochastic: With dropout and random depths, and the training loss; otherwise in eval mode.
        seed: Of all draws.

    Raises:
        ValueError: An option out of its range.
        TypeError: A model without gradients.

    Example:
        >>> import zoo
        >>> learner = zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2})
        >>> data = zoo.data.load("b3db")
        >>> report = zoo.sharpness.measure(learner, data, max_molecules=8, eigenvalues=0)
        >>> report.loss_rise > 0
        True

    Reference:
        Foret et al. 2021 (arXiv 2010.01412), equation 1, with the gradient of all molecules instead of one batch's;
        Kwon et al. 2021 (arXiv 2102.11600), equation 3, for `adaptive`.
    """
    surface = LossSurface.of(
        learner, dataset, max_molecules=max_molecules, batch_size=batch_size, stochastic=stochastic, seed=seed
    )
    return measure_surface(
        surface,
        rho=rho,
        adaptive=adaptive,
        eta=eta,
        directions=directions,
        eigenvalues=eigenvalues,
        trace_probes=trace_probes,
        seed=seed,
    )


def measure_surface(
    surface: LossSurface,
    *,
    rho: float = 0.05,
    adaptive: bool = False,
    eta: float = 0.01,
    directions: int = 8,
    eigenvalues: int = 1,
    trace_probes: int = 2,
    seed: int = 0,
) -> SharpnessReport:
    """Measure the sharpness of a loss surface at the model's weights; arguments as in `measure`."""
    check_ranges(rho, eta, directions, eigenvalues, trace_probes)
    loss, gradient = surface.gradient()
    scale = [w.detach().abs() + eta for w in surface.weights] if adaptive else None
    rise = risen = trace = error = NAN
    largest, exact = [NAN] * eigenvalues, True
    if math.isfinite(loss) and gradient.finite:
        step = in_ball(gradient if scale is None else gradient.times(scale), rho, scale)
        rise = 0.0 if step is None else surface.loss_at(step) - loss
        generator = torch.Generator().manual_seed(seed)
        steps = (in_ball(normal_vector(surface.weights, generator), rho, scale) for _ in range(directions))
        risen = max((surface.loss_at(step) - loss for step in steps if step is not None), default=NAN)
        if eigenvalues:
            hessian = Hessian(surface, seed=seed)
            exact, largest = hessian.exact, hessian.largest_eigenvalues(eigenvalues)
            trace, error = hessian.trace(trace_probes)
    return SharpnessReport(
        molecules=surface.molecules,
        loss=loss,
        grad_norm=gradient.norm,
        rho=rho,
        adaptive=adaptive,
        loss_rise=rise,
        random_rise=risen,
        directions=directions,
        eigenvalues=tuple(largest),
        trace=trace,
        trace_error=error,
        exact=exact,
    )


def check_ranges(rho: float, eta: float, directions: int, eigenvalues: int, trace_probes: int) -> None:
    """Raise a `ValueError` that names the value and what is possible."""
    if not (math.isfinite(rho) and rho > 0):
        raise ValueError(f"rho={rho}: give a radius above 0")
    if not (math.isfinite(eta) and eta >= 0):
        raise ValueError(f"eta={eta}: give a number of at least 0")
    for name, value in (("directions", directions), ("eigenvalues", eigenvalues)):
        if value < 0:
            raise ValueError(f"{name}={value}: give a whole number of at least 0")
    if trace_probes < 2:
        raise ValueError(f"trace_probes={trace_probes}: give at least 2, one vector alone gives no error")


def in_ball(direction: Vector, rho: float, scale: list[Tensor] | None) -> Vector | None:
    """The point of the ball's surface in a direction; `None` for a direction of length 0.

    Args:
        direction: In the space where the ball is round.
        rho: Radius.
        scale: Factors by which the ball is wider along each weight; `None` leaves it round.
    """
    if not direction.usable:
        return None
    point = direction.scaled(rho / direction.norm)
    return point if scale is None else point.times(scale)


def normal_vector(weights: list[Tensor], generator: torch.Generator) -> Vector:
    """Independent standard normal draws, made on the CPU: its direction is uniform on the sphere."""
    return Vector([torch.randn(w.shape, generator=generator).to(w) for w in weights])
