"""Null member of the family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.displacement import Stretch
from optim.plan import Plan
from optim.sharpness_aware import SharpnessAware


class Unperturbed(SharpnessAware):
    """The base optimizer itself under the family's contract: one pass a step, no perturbation.

    A training loop can thus treat Adam and GraphSAM alike: closure, ``set_epoch``, ``passes``, ``last``,
    ``max_grad_norm``, ``grad_scaler``, and the skipping of gradients that are not finite.

    Its ``state_dict`` loads into the bare base optimizer, and the bare optimizer's into it.

    Args:
        base: Optimizer instance that makes the update.
        **options: Options of `SharpnessAware` that do not concern the perturbation.

    Example:
        >>> optimizer = Unperturbed(torch.optim.Adam(torch.nn.Linear(2, 1).parameters()))
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {
        **{"rho": 0.0, "rise": None, "max_rho": None, "start": 0.0, "ascent_share": 1.0},
        **{"adaptive": False, "eta": 0.01, "same_dropout": False},
    }

    def __init__(self, base: torch.optim.Optimizer, **options: Any) -> None:
        super().__init__(base, rho=0.0, **checks.without_fixed(type(self), options))

    def plan(self) -> Plan:
        """Return one pass at the weights, always."""
        return Plan.PLAIN

    def stretches(self) -> list[Stretch]:
        """Return nothing: no parameter is perturbed, whatever its group says."""
        return []

    def check_owner(self, own: dict[str, Any] | None) -> None:
        """Accept the state of a plain optimizer too."""
        if own is not None:
            super().check_owner(own)


def as_sharpness_aware(optimizer: torch.optim.Optimizer) -> SharpnessAware:
    """Return ``optimizer`` itself if it is of the family, else wrapped in `Unperturbed`.

    Args:
        optimizer: Any torch optimizer that does not call the closure itself.

    Raises:
        TypeError: Not an optimizer instance, or LBFGS.
    """
    return optimizer if isinstance(optimizer, SharpnessAware) else Unperturbed(optimizer)
