"""Descriptors of molecules for models that do not read any themselves: a linear map of them at the head's input."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph

NAME = "joined_descriptors"
"""Name of the map among the modules of a model."""

# Threads may share a model, so that the batch that one of them scores is not kept in the model.
CURRENT: ContextVar[Tensor | None] = ContextVar("descriptors", default=None)


def reads_descriptors(model: nn.Module, batch: MoleculeGraph) -> bool:
    """Return whether the scores of a model depend on the descriptors of a batch.

    Args:
        model: It is not changed.
        batch: With descriptors (B, F), all 0.
    """
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            first = model(batch)
            zeros: Tensor = batch.descriptors  # type: ignore[assignment]
            batch.descriptors = zeros + 3 * torch.arange(zeros.shape[1], device=zeros.device).cos()
            return not torch.equal(first, model(batch))
    finally:
        model.train(training)


def join_to_head(model: nn.Module, size: int, batch: MoleculeGraph) -> None:
    """Let a model read descriptors: W d is added to the vectors (B, R) that its `head` gets.

    A head that begins with a linear layer A computes A (x + W d), as it would of x and d side by side with (A, AW).
    W is a module of the model, so that it is trained and saved with the rest.

    Args:
        model: Has a module `head` whose first argument is (B, R).
        size: Descriptors of a molecule (F).
        batch: A batch to find R with.

    Raises:
        ValueError: It has no such head.
    """
    head, seen = getattr(model, "head", None), []
    if isinstance(head, nn.Module):
        handle = head.register_forward_pre_hook(lambda _, arguments: seen.append(arguments))
        training = model.training
        model.eval()
        with torch.no_grad():
            model(batch)
        model.train(training)
        handle.remove()
    vectors = seen[0][0] if seen and seen[0] else None
    if not isinstance(vectors, Tensor) or vectors.dim() != 2:
        raise ValueError(
            f"model {type(model).__name__} reads no descriptors of a molecule, and has no module `head` that gets the "
            "vectors of molecules (B, R), to which they could be joined: give it an option descriptor_size, or a head"
        )
    join = nn.Linear(size, vectors.shape[1], bias=False, dtype=vectors.dtype)
    model.add_module(NAME, join)
    model.register_forward_pre_hook(remember)
    model.register_forward_hook(forget, always_call=True)
    head.register_forward_pre_hook(partial(add, join))  # type: ignore[union-attr]


def remember(model: nn.Module, arguments: tuple[Any, ...]) -> None:
    """Keep the descriptors of the batch that a model begins to score."""
    CURRENT.set(arguments[0].descriptors)


def forget(model: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
    """Let go of the descriptors of a batch that is scored."""
    CURRENT.set(None)


def add(join: nn.Linear, head: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add the mapped descriptors to the first argument of a head.

    Raises:
        ValueError: The batch lacks the descriptors that the model was built for.
    """
    vectors, descriptors = arguments[0], CURRENT.get()
    if descriptors is None or descriptors.shape[1] != join.in_features:
        found = "none" if descriptors is None else f"(B, {descriptors.shape[1]})"
        raise ValueError(f"the model needs descriptors (B, {join.in_features}) and the batch has {found}")
    return (vectors + join(descriptors.to(join.weight.dtype)).to(vectors.dtype), *arguments[1:])
