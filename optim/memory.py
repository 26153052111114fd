"""Memory of a rule for each parameter, and its state."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from optim.arithmetic import wide_dtype
from optim.vectors import Vector


class Memory:
    """Named vectors over parameters, in float32 where the parameters have half precision.

    It is kept apart from the base optimizer's ``state``, because optimizers such as Adam take an empty ``state[p]`` for
    "not initialised yet".

    Example:
        >>> memory, weight = Memory(), torch.nn.Parameter(torch.zeros(2))
        >>> memory.store("direction", [weight], Vector([torch.ones(2)]))
        >>> memory.recall("direction", [weight]).tensors
        [tensor([1., 1.])]
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._staged: dict[str, _Entry] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def recall(self, name: str, weights: Sequence[Tensor], compact: bool = False) -> Vector | None:
        """Return the vector over these weights.

        Args:
            name: Name under which it was stored.
            weights: Parameters; one without a stored tensor (added since) gets a zero one, which is stored.
            compact: These weights are, see `optim.layout.Layout`: the vector is joined, and stays so.

        Returns:
            The stored tensors themselves, which may be changed in place; None if nothing has this name.
        """
        entry = self._entries.get(name)
        return None if entry is None else entry.over(weights, compact)

    def store(self, name: str, weights: Sequence[Tensor], vector: Vector) -> None:
        """Keep the tensors of ``vector``, not copies unless they have half precision, in place of what had the name."""
        self._entries[name] = _Entry(list(weights), vector.wide().tensors)

    def stage(self, name: str, weights: Sequence[Tensor], vector: Vector) -> None:
        """Store a vector when the passes of this step have succeeded; until then the old one stays."""
        self._staged[name] = _Entry(list(weights), vector.wide().tensors)

    def commit(self) -> None:
        """Store what was staged."""
        if self._staged:
            self._entries.update(self._staged)
            self._staged = {}

    def roll_back(self) -> None:
        """Forget what was staged."""
        self._staged = {}

    def state_dict(self, parameters: Sequence[Tensor], expected: Sequence[str] = ()) -> dict[str, dict[str, Tensor]]:
        """Return the tensors by name and by the parameter's position, as torch optimizers number them.

        Args:
            parameters: All parameters of the optimizer.
            expected: Names that appear in any case, with zeros: ``torch.distributed.checkpoint`` loads a file into
                tensors that are there already.
        """
        position = {id(parameter): str(i) for i, parameter in enumerate(parameters)}
        found = {
            name: {position[id(p)]: t for p, t in zip(entry.weights, entry.apart(), strict=True)}
            for name, entry in self._entries.items()
        }
        for name in set(expected) - set(found):
            found[name] = {i: _zeros(p) for i, p in zip(position.values(), parameters, strict=True) if p.requires_grad}
        return found

    def load_state_dict(self, state: Mapping[str, Mapping[Any, Tensor]], parameters: Sequence[Tensor]) -> None:
        """Take copies of the tensors, on the device of their parameters; positions may be numbers or strings."""
        self._entries = {}
        for name, known in state.items():
            weights = [parameters[int(i)] for i in known]
            pairs = zip(weights, known.values(), strict=True)
            tensors = [t.to(device=p.device, dtype=wide_dtype(p.dtype), copy=True) for p, t in pairs]
            self._entries[name] = _Entry(weights, tensors)


class _Entry:
    """One vector: parameters and, in the same order, their tensors, which may be views of one."""

    whole: Tensor | None = None

    def __init__(self, weights: list[Tensor], tensors: list[Tensor]) -> None:
        self.weights, self.tensors = weights, tensors

    def __getstate__(self) -> dict[str, Any]:
        return {"weights": self.weights, "tensors": self.apart()}

    def apart(self) -> list[Tensor]:
        """Return the tensors, copied out of `whole`: pickle would write it once for each of its views."""
        return self.tensors if self.whole is None else [tensor.clone() for tensor in self.tensors]

    def over(self, weights: Sequence[Tensor], compact: bool) -> Vector:
        """Return the vector over these weights; zeros, kept from now on, for one that has none.

        The tensors of `compact` weights become views of one, unless there are others besides.
        """
        if len(weights) != len(self.weights) or not all(map(operator.is_, weights, self.weights)):
            known = {id(weight): tensor for weight, tensor in zip(self.weights, self.tensors, strict=True)}
            new = [weight for weight in weights if id(weight) not in known]
            known |= {id(weight): _zeros(weight) for weight in new}
            tensors = [known[id(weight)] for weight in weights]
            if len(known) > len(weights):  # there are others besides
                if new:
                    self._keep([*self.weights, *new], [*self.tensors, *(known[id(weight)] for weight in new)])
                return Vector(tensors)
            self._keep(list(weights), tensors)  # in this order: some ways of loading leave another one
        if compact and self.whole is None:
            joined = Vector(self.tensors, compact=True).joined()
            self.tensors, self.whole = joined.tensors, joined.whole
        return Vector(self.tensors, whole=self.whole)

    def _keep(self, weights: list[Tensor], tensors: list[Tensor]) -> None:
        self.weights, self.tensors, self.whole = weights, tensors, None


def _zeros(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight, dtype=wide_dtype(weight.dtype), requires_grad=False)
