"""Several molecules in a row: the pooled vectors of the others join the readout of the first."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph

NAME = "partner_encoders"
"""Name of the encoders of the further columns among the modules of a model, where each has its own."""


def joined_width(model: nn.Module, batch: MoleculeGraph) -> int:
    """Numbers that each further molecule of a row adds to the readout: its vector and its descriptors.

    Args:
        model: Has a method `embed(graph)`.
        batch: Any molecules.

    Raises:
        ValueError: It has none.
    """
    if not callable(getattr(model, "embed", None)):
        raise ValueError(
            f"model {type(model).__name__} cannot read several molecules in a row: it has no method embed(graph) that "
            "gives the vectors of molecules (B, R)"
        )
    training = model.training
    model.eval()
    with torch.no_grad():
        width = partner_vectors(model, batch).shape[1]
    model.train(training)
    return width


def join_molecules(model: nn.Module, encoders: Sequence[nn.Module] = ()) -> None:
    """Let a model read the further molecules of each row: their vectors stand in front of its descriptors.

    Args:
        model: Reads as many descriptors more as these vectors have numbers.
        encoders: One with a method `embed` for each further column; without any, the model's own encodes all.
    """
    if encoders:
        model.add_module(NAME, nn.ModuleList(encoders))
    model.register_forward_pre_hook(partial(add_partners, getattr(model, NAME, None)), prepend=True)


def add_partners(encoders: nn.ModuleList | None, model: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a model with the vectors of the further molecules among the descriptors.

    Raises:
        ValueError: The batch has one molecule in each row.
    """
    graph = arguments[0]
    if not graph.partners:
        raise ValueError("the model reads several molecules in a row, and the batch has one")
    joined = copy.copy(graph)
    each = encoders or [model] * len(graph.partners)
    vectors = [partner_vectors(encoder, partner) for encoder, partner in zip(each, graph.partners, strict=True)]
    own = [] if graph.descriptors is None else [graph.descriptors.to(vectors[0].dtype)]
    joined.descriptors, joined.partners = torch.cat([*vectors, *own], dim=1), ()
    return (joined, *arguments[1:])


def partner_vectors(encoder: Any, graph: MoleculeGraph) -> Tensor:
    """Vectors of molecules, with their descriptors behind them (B, R + F)."""
    vectors = encoder.embed(graph)
    return vectors if graph.descriptors is None else torch.cat([vectors, graph.descriptors.to(vectors.dtype)], dim=1)


def embed_all(model: Any, graph: MoleculeGraph) -> Tensor:
    """Vectors of all molecules of each row side by side (B, K R)."""
    if not graph.partners:
        return model.embed(graph)
    each = getattr(model, NAME, None) or [model] * len(graph.partners)
    return torch.cat([model.embed(graph), *(e.embed(g) for e, g in zip(each, graph.partners, strict=True))], dim=1)


def freeze_unused(encoder: nn.Module, batch: MoleculeGraph) -> nn.Module:
    """Take the parameters out of training that have no part in the vectors of molecules, such as those of the head."""
    encoder.train()
    encoder.embed(batch).sum().backward()  # type: ignore[operator]
    for parameter in encoder.parameters():
        parameter.requires_grad_(parameter.grad is not None)
        parameter.grad = None
    return encoder
