"""Reading, writing, scaling and clipping ``.grad`` for the sharpness-aware step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from optim.arithmetic import copy_, global_norm
from optim.vectors import Flaw, Vector

ParamGroups = Sequence[dict[str, Any]]


def perturbable(groups: ParamGroups) -> list[Tensor]:
    """Return the parameters that require a gradient, of all groups that do not say ``"perturb": False``."""
    return [p for group in groups if group.get("perturb", True) for p in group["params"] if p.requires_grad]


def read(
    weights: Sequence[Tensor],
    scaler: torch.amp.GradScaler | None = None,
    *,
    copy: bool = False,
    compact: bool = False,
) -> Vector:
    """Return the gradients of the weights as one vector.

    Args:
        weights: Parameters; one whose gradient is None counts as zero.
        scaler: Divide by its scale; the gradients themselves stay scaled.
        copy: In new memory, which a later ``zero_grad`` or backward cannot change.
        compact: The weights are, see `optim.layout.Layout`.

    Raises:
        ValueError: A gradient is sparse.
    """
    found = [w.grad for w in weights]
    tensors = [torch.zeros_like(w, requires_grad=False) if g is None else g for w, g in zip(weights, found)]  # noqa: B905
    if any([grad.is_sparse for grad in tensors]):  # noqa: C419 - a generator takes twice as long
        raise ValueError("a sharpness-aware step needs dense gradients; build the nn.Embedding with sparse=False")
    vector = Vector(tensors, compact=compact)
    if scaler is not None and scaler.is_enabled():
        return vector.scaled(1 / scaler.get_scale())
    return vector.clone() if copy else vector


def clear(groups: ParamGroups) -> None:
    """Take away all gradients, so that the next backward makes new ones."""
    for group in groups:
        for parameter in group["params"]:
            parameter.grad = None


def write(weights: Sequence[Tensor], corrected: Vector, current: Vector) -> None:
    """Put a corrected gradient in place of the current one, where a parameter has one."""
    if corrected.tensors is current.tensors:
        return
    pairs = [(w.grad, t) for w, t in zip(weights, corrected.tensors, strict=True) if w.grad is not None]
    copy_([grad for grad, _ in pairs], [t for _, t in pairs])


def norm_of_rest(groups: ParamGroups, weights: Sequence[Tensor]) -> float:
    """Return the norm of the gradients of parameters that are updated, but are not among the perturbed ``weights``."""
    if sum(len(group["params"]) for group in groups) == len(weights):
        return 0.0
    perturbed = set(map(id, weights))
    rest = [p.grad for p in _parameters(groups) if p.grad is not None and id(p) not in perturbed]
    return float(global_norm([grad.coalesce().values() if grad.is_sparse else grad for grad in rest]))


def unscale(scaler: torch.amp.GradScaler, base: torch.optim.Optimizer, overflow: bool) -> None:
    """Unscale the gradients of the base in place.

    Args:
        scaler: Its ``update()`` lowers the scale when a gradient was not finite.
        base: Optimizer that will step through ``scaler.step``.
        overflow: The ascent pass overflowed. The updating gradient is then made infinite, the only public way to let
            the scaler know.
    """
    parameters = list(_parameters(base.param_groups))
    witness = next((p for p in parameters if p.grad is not None), None)
    if witness is None:  # the scaler has to see a gradient, or its step() and update() fail
        parameters[0].grad = torch.zeros_like(parameters[0], requires_grad=False)
    if overflow:
        (parameters[0] if witness is None else witness).grad.fill_(torch.inf)  # type: ignore[union-attr]
    scaler.unscale_(base)
    if witness is None and not overflow:
        parameters[0].grad = None


def clip_(groups: ParamGroups, max_norm: float, norm: float) -> None:
    """Clip all gradients in place, as ``torch.nn.utils.clip_grad_norm_`` does, sparse ones too.

    Args:
        groups: Parameter groups.
        max_norm: Largest norm, > 0.
        norm: Their norm now.
    """
    parameters = [p for p in _parameters(groups) if p.grad is not None]
    if not any(p.grad.is_sparse for p in parameters):  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        return
    for p in parameters:
        p.grad.mul_(max_norm / (norm + 1e-6))  # type: ignore[union-attr]


def worst_of_replicas(flaw: Flaw, no_sync: Callable[[], Any] | None) -> Flaw:
    """Return the worst flaw that a data-parallel replica found in its ascent gradient, so that all of them go on alike.

    Args:
        flaw: This replica's.
        no_sync: As given to the optimizer. Without it every replica saw the same gradient and has the same flaw.
    """
    distributed = torch.distributed
    if no_sync is None or not (distributed.is_available() and distributed.is_initialized()):
        return flaw
    replica = getattr(no_sync, "__self__", None)
    device = next((p.device for p in replica.parameters()), None) if isinstance(replica, torch.nn.Module) else None
    worst = torch.tensor(flaw.value, device=device)
    distributed.all_reduce(worst, op=distributed.ReduceOp.MAX, group=getattr(replica, "process_group", None))
    return Flaw(worst.item())


def _parameters(groups: ParamGroups) -> Iterator[Tensor]:
    return (p for group in groups for p in group["params"])
