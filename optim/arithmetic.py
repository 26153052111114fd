"""Norms, products and copies over many tensors, whatever their dtypes, devices and shards.

A shard is a ``torch.distributed.tensor.DTensor``, as FSDP2 makes them. It is recognised by its ``full_tensor``, because
importing ``torch.distributed.tensor`` takes longer than importing the rest of this package.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_WIDE = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


def wide_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which sums over tensors of ``dtype`` are accumulated: float32 for half precision."""
    return _WIDE.get(dtype, dtype)


def widen(tensors: list[Tensor]) -> list[Tensor]:
    """Return the tensors in their `wide_dtype`; the very same ones where that is their own."""
    if _WIDE.keys().isdisjoint([t.dtype for t in tensors]):
        return tensors
    return [t.to(wide_dtype(t.dtype)) for t in tensors]


def copy_(targets: list[Tensor], sources: list[Tensor]) -> None:
    """Copy every source into its target, in one fused call where the tensors allow it."""
    if not targets:
        return
    try:
        torch._foreach_copy_(targets, sources)
    except NotImplementedError:  # shards: torch has no strategy for this operation
        for target, source in zip(targets, sources, strict=True):
            target.copy_(source)


def norms_of(tensors: list[Tensor]) -> list[Tensor]:
    """Return the Euclidean norm of every tensor, 0-d, accumulated in its `wide_dtype`; a shard's norm is a shard."""
    if _WIDE.keys().isdisjoint([t.dtype for t in tensors]):
        return list(torch._foreach_norm(tensors))
    return [torch.linalg.vector_norm(t, dtype=_WIDE.get(t.dtype)) for t in tensors]


def global_norm(tensors: list[Tensor]) -> Tensor:
    """Return the Euclidean norm of all tensors read as one long vector.

    Half-precision tensors are summed in float32, so that the norm of many small entries is not rounded to three digits.

    Args:
        tensors: Any shapes, dtypes and devices; shards count with what other processes hold of them.

    Returns:
        A 0-d tensor on the device of the first tensor; 0.0 for an empty sequence.
    """
    if not tensors:
        return torch.zeros(())
    norms = norms_of(tensors)
    if _have_shards(norms):
        shards = torch.linalg.vector_norm(torch.stack([n for n in norms if _is_shard(n)]))
        norms = [n for n in norms if not _is_shard(n)] + [_whole(shards)]
    return torch.linalg.vector_norm(torch.stack(_on_one_device(norms)))


def inner_product(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Return the inner product of two long vectors, with complex numbers read as pairs of real ones.

    Args:
        a: Any shapes, dtypes and devices.
        b: Tensors of the same shapes.

    Returns:
        A 0-d real tensor on the device of the first tensor, accumulated in the `wide_dtype` of the tensors.
    """
    products = [_product(x, y) for x, y in zip(a, b, strict=True)]
    if _have_shards(products):
        shards = torch.stack([p for p in products if _is_shard(p)]).sum()
        products = [p for p in products if not _is_shard(p)] + [_whole(shards)]
    return torch.stack(_on_one_device(products)).sum()


def shard_like(full: Tensor, like: Tensor) -> Tensor:
    """Return this process's part of a tensor that all processes have in full; the tensor itself where nothing is cut.

    Args:
        full: The same numbers in every process.
        like: A tensor of the same shape, cut up or not.
    """
    if not _is_shard(like):
        return full
    from torch.distributed.tensor import DTensor, Replicate

    mesh, placements = like.device_mesh, like.placements  # type: ignore[attr-defined]
    return DTensor.from_local(full, mesh, [Replicate()] * mesh.ndim, run_check=False).redistribute(mesh, placements)


def _product(x: Tensor, y: Tensor) -> Tensor:
    if _is_shard(x):
        return (x * y.conj()).sum().real if x.is_complex() else (x * y).sum()
    if x.is_complex():
        return torch.vdot(x.flatten(), y.flatten()).real
    if x.dtype is not y.dtype or x.dtype in _WIDE:
        wide = torch.promote_types(wide_dtype(x.dtype), wide_dtype(y.dtype))
        x, y = x.to(wide), y.to(wide)
    return torch.dot(x.flatten(), y.flatten())


def _have_shards(tensors: list[Tensor]) -> bool:
    """Return whether some are shards; quick where all are ordinary tensors."""
    return not all(kind is Tensor for kind in set(map(type, tensors))) and any(map(_is_shard, tensors))


def _is_shard(tensor: Tensor) -> bool:
    return hasattr(tensor, "full_tensor")


def _whole(shard: Tensor) -> Tensor:
    """Return the sum or norm over all processes; every one of them has to call this."""
    return shard.full_tensor()  # type: ignore[attr-defined, no-any-return]


def _on_one_device(numbers: list[Tensor]) -> list[Tensor]:
    device = numbers[0].device
    return numbers if len({n.device for n in numbers}) == 1 else [n.to(device) for n in numbers]
