"""Parts of a model that are frozen or have a learning rate of their own, as fine-tuning asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from zoo.recipe.start import StartOptions

ENCODER = "encoder"


def check_parts(model: nn.Module, names: Iterable[str]) -> None:
    """Raise a `ValueError` for a part that a model does not have."""
    known = [name for name, _ in model.named_children()]
    for name in names:
        if name not in known:
            raise ValueError(f"freeze={name!r}: {type(model).__name__} has no such part: choose of {', '.join(known)}")


def freeze(model: nn.Module, start: StartOptions | None, epoch: int) -> None:
    """Freeze the parts that do not change in an epoch, and set the others free.

    Frozen parts are in eval mode, so that neither dropout nor statistics of batches move what the rest learns from.

    Args:
        model: In train mode.
        start: What is frozen, and until when; `None` leaves the model as it is.
        epoch: Counted from 0.
    """
    if start is None or not start.freeze:
        return
    frozen = start.frozen_in(epoch)
    for name in start.freeze:
        part = model.get_submodule(name)
        part.requires_grad_(name not in frozen)
        part.train(name not in frozen)


def layers_of(encoder: nn.Module) -> list[nn.Module]:
    """Return the layers of an encoder, first to last, in the order in which it registers them.

    Lists and sequences count item by item; an encoder that is one module counts by what is in that.

    Example:
        >>> len(layers_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))))
        2
    """
    children = [child for child in encoder.children() if any(True for _ in child.parameters())]
    if len(children) == 1 and not any(True for _ in encoder.parameters(recurse=False)):
        return layers_of(children[0]) or [encoder]
    layers: list[nn.Module] = []
    for child in children:
        items = [*child] if isinstance(child, (nn.ModuleList, nn.Sequential)) else [child]
        layers += [item for item in items if any(True for _ in item.parameters())]
    return layers


def groups_of(model: nn.Module, start: StartOptions | None, rate: Any) -> list[Any]:
    """Return the parameters for an optimizer, in groups where parts have learning rates of their own.

    Args:
        model: With an `encoder` where rates differ.
        start: The rates; `None` for one rate.
        rate: Learning rate of the head.

    Raises:
        ValueError: The model has no encoder.
    """
    if start is None or not start.rates_differ:
        return [p for p in model.parameters() if p.requires_grad]
    encoder = getattr(model, ENCODER, None)
    if not isinstance(encoder, nn.Module):
        raise ValueError(f"lr_encoder, layer_decay: {type(model).__name__} has no part named encoder")
    factors = {id(p): float(start.lr_encoder) for p in encoder.parameters()}
    layers = layers_of(encoder)
    for below, layer in enumerate(reversed(layers)):
        for parameter in layer.parameters():
            factors[id(parameter)] = float(start.lr_encoder) * start.layer_decay**below
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault(factors.get(id(parameter), 1.0), []).append(parameter)
    return [{"params": members, "lr": float(rate) * factor} for factor, members in groups.items()]
