"""Parameter groups that are perturbed, and others that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

NORMALIZATIONS: tuple[type[nn.Module], ...] = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def norm_only_groups(
    model: nn.Module, *, kinds: Sequence[type[nn.Module]] = NORMALIZATIONS, **options: Any
) -> list[dict[str, Any]]:
    """Return two parameter groups of a model: its normalization layers, and the rest with ``"perturb": False``.

    Perturbing these layers alone was found to serve as well as perturbing all, or better, with rho up to ten times as
    large ("SAM-ON").

    Args:
        model: Any module; parameters that it shares are listed once.
        kinds: Classes that count as normalization layers.
        **options: Options of both groups, as ``lr=1e-3``.

    Raises:
        ValueError: The model has no normalization layer with parameters.

    Example:
        >>> import torch, optim
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
        >>> optimizer = optim.SAM(torch.optim.Adam(norm_only_groups(model, lr=1e-3)), rho=0.5)
        >>> [len(group["params"]) for group in optimizer.param_groups]
        [2, 2]

    Reference:
        Mueller et al., "Normalization Layers Are All That Sharpness-Aware Minimization Needs", NeurIPS 2023,
        arXiv 2306.04226; read in secondary sources.
    """
    inside = {id(p) for p in _parameters_of(model, tuple(kinds))}
    if not inside:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{type(model).__name__} has no normalization layer with parameters; looked for {names}")
    norms = [p for p in model.parameters() if id(p) in inside]
    rest = [p for p in model.parameters() if id(p) not in inside]
    return [{"params": norms, **options}, {"params": rest, "perturb": False, **options}]


def _parameters_of(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[nn.Parameter]:
    for module in model.modules():
        if isinstance(module, kinds):
            yield from module.parameters(recurse=False)
