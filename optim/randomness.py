"""Random draws of a rule: apart from torch's global generator, saved, and the same on every device and replica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from optim.arithmetic import shard_like
from optim.sam import SAM


class RandomDraws:
    """A generator on the CPU that can be copied, pickled and saved.

    Args:
        seed: Its seed.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._before: Tensor | None = None

    def commit(self) -> None:
        """Make the draws since the last commit final."""
        self._before = None

    def roll_back(self) -> None:
        """Take back the draws since the last commit."""
        if self._before is not None:
            self._generator.set_state(self._before)
            self._before = None

    def _drawing(self) -> torch.Generator:
        """Return the generator, for one draw more."""
        if self._before is None:
            self._before = self._generator.get_state()
        return self._generator

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return float(torch.rand((), generator=self._drawing()))

    def masks(self, like: Sequence[Tensor], keep: float) -> list[Tensor]:
        """Return tensors of zeros and ones. Four entries share a 64-bit draw: several times faster than ``bernoulli_``.

        Args:
            like: Their shapes, dtypes and devices. A shard gets its part of the mask that the full tensor would get.
            keep: Probability of a one, in [0, 1], to 16 bits.
        """
        seed = int(torch.randint(2**62, (), generator=self._drawing()))
        by_device = {t.device: torch.Generator(t.device).manual_seed(seed) for t in like}
        limit = round(keep * 2**16) - 2**15
        if limit == 2**15:  # beyond the largest 16-bit number: all are below it
            return [torch.ones_like(t, requires_grad=False) for t in like]
        return [shard_like(_mask(t, limit, by_device[t.device]), t) for t in like]

    @property
    def state(self) -> Tensor:
        """State of the generator, a byte tensor."""
        return self._generator.get_state()

    @state.setter
    def state(self, state: Tensor) -> None:
        self._generator.set_state(state.cpu())

    def __getstate__(self) -> Tensor:
        return self.state

    def __setstate__(self, state: Tensor) -> None:
        self._generator, self._before = torch.Generator(), None
        self.state = state


def _mask(like: Tensor, limit: int, generator: torch.Generator) -> Tensor:
    draws = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device)
    draws.random_(-(2**63), None, generator=generator)
    return (draws.view(torch.int16)[: like.numel()].view(like.shape) < limit).to(like.dtype)


class RandomizedSAM(SAM):
    """A SAM that draws at random, and saves where its draws stand.

    Args:
        base: Optimizer instance that makes the update.
        seed: Seed of the draws; the same on all data-parallel replicas.
        **options: Options of `SAM`.
    """

    def __init__(self, base: torch.optim.Optimizer, *, seed: int = 0, **options: Any) -> None:
        super().__init__(base, **options)
        self.draws = RandomDraws(seed)

    def commit(self) -> None:
        """Make the draws of this step final."""
        super().commit()
        self.draws.commit()

    def roll_back(self) -> None:
        """Take back the draws of this step."""
        super().roll_back()
        self.draws.roll_back()

    def rule_state(self) -> dict[str, Any]:
        """Return also where the draws stand."""
        return {**super().rule_state(), "random_state": self.draws.state}

    def load_rule_state(self, state: dict[str, Any]) -> None:
        """Continue the draws where they stood."""
        self.draws.state = state["random_state"]
        super().load_rule_state({name: value for name, value in state.items() if name != "random_state"})
