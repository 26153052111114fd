"""`EnsemblePlan`: the members of an ensemble, each a recipe and a folder below that of the ensemble."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.errors import DataError
from zoo.data.splits import folded, is_deterministic
from zoo.data.splits.folds import FEWEST
from zoo.recipe.options import DataOptions
from zoo.recipe.recipe import Recipe


@dataclass(frozen=True)
class Member:
    """A member to be trained.

    Args:
        name: Its folder, below that of the ensemble.
        recipe: What is trained.
        seed: Its seed.
        fold: Its fold, which is its test part; None where the members share their parts.
    """

    name: str
    recipe: Recipe
    seed: int
    fold: int | None = None

    @property
    def label(self) -> str:
        """Name of the member in messages."""
        return self.name

    def to_plan(self) -> dict[str, Any]:
        """Return what its folder keeps of it."""
        return {"member": self.name, "seed": self.seed, "fold": self.fold}


@dataclass(frozen=True)
class EnsemblePlan:
    """Members of one recipe: seeds, folds, or folds for each seed.

    Args:
        recipe: What the members have in common.
        seeds: One member, or one set of folds, for each.
        folds: Number of folds; None trains all members on the same part.
        resplit: Cut the data anew for each seed. Else all seeds have the parts of the split's own seed (the first of
            the seeds, unless one is given), so that the test part is new to each member and to the ensemble.

    Raises:
        ValueError: No seeds, or one twice.
        DataError: The split cuts no folds, or a test file is named for folds that differ in their test parts.
    """

    recipe: Recipe
    seeds: tuple[int, ...] = (0,)
    folds: int | None = None
    resplit: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(self.seeds))
        twice = [seed for number, seed in enumerate(self.seeds) if seed in self.seeds[:number]]
        if not self.seeds or twice:
            named = f"seed {twice[0]} is named twice" if twice else "there are no seeds"
            raise ValueError(f"{named}: give each seed once, such as 0 1 2")
        if self.folds is not None and self.folds < FEWEST:
            raise DataError(
                f"folds={self.folds}: give at least {FEWEST}: one tests, the next one validates, the others train"
            )
        asked = sorted({"fold", "num_folds"} & set(self.source.split_args))
        if self.folds is not None and asked:
            raise DataError(f"folds={self.folds} trains on all folds: leave {' and '.join(asked)} out of split_args")
        if self.folds is not None and self.source.fractions is not None:
            raise DataError(
                f"fractions={self.source.fractions} mean nothing to {self.folds} folds: leave one of them out"
            )

    @property
    def source(self) -> DataOptions:
        """Options of the data."""
        return self.recipe.data or DataOptions()

    @property
    def shares_parts(self) -> bool:
        """Whether all members have the same training, validation and test part."""
        return self.folds is None and not (self.resplit and len(self.seeds) > 1)

    @property
    def members(self) -> list[Member]:
        """All members, seed by seed."""
        if self.folds is None:
            return [Member(f"seed{seed}", self._recipe(seed, self._shared()), seed) for seed in self.seeds]
        several = len(self.seeds) > 1
        return [
            Member(
                f"seed{seed}-fold{fold}" if several else f"fold{fold}", self._recipe(seed, self._fold(fold)), seed, fold
            )
            for seed in self.seeds
            for fold in range(self.folds)
        ]

    def _recipe(self, seed: int, changes: Mapping[str, Any]) -> Recipe:
        return dataclasses.replace(self.recipe, seed=seed, data=dataclasses.replace(self.source, **changes))

    def _shared(self) -> dict[str, Any]:
        """Options that give all seeds the same parts."""
        if self.source.split_seed is not None or self.resplit or len(self.seeds) == 1:
            return {}
        return {"split_seed": 0 if is_deterministic(self.source.split) else self.seeds[0]}

    def _fold(self, fold: int) -> dict[str, Any]:
        """Options that cut one fold; a test file is for the ensemble, as each member has a fold to be tested on."""
        options = {**self.source.split_args, "fold": fold, "num_folds": self.folds}
        return {"split": folded(self.source.split), "split_args": options, "test_file": None}

    def to_dict(self) -> dict[str, Any]:
        """Return what the folder keeps of the plan, next to its recipe."""
        return {"seeds": list(self.seeds), "folds": self.folds, "resplit": self.resplit}
