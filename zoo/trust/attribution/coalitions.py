"""Shapley and Myerson values of fragments: exact for few fragments, over drawn orders for more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import comb

import numpy as np

from zoo.trust.attribution.attribution import Attribution
from zoo.trust.attribution.fragments import cut_fragments
from zoo.trust.attribution.games import Game

EXACT = 8
ORDERS = 64

Values = Callable[[list[int]], np.ndarray]
"""Values (K,) of coalitions, each given as the bits of a number."""


def shapley(game: Game, *, exact: int = EXACT, orders: int = ORDERS, seed: int = 0) -> Attribution:
    """Attribute to fragments by Shapley values: they sum to the difference between prediction and baseline.

    Args:
        game: Of one molecule.
        exact: Most fragments for which all coalitions are computed.
        orders: Orders that are drawn for more fragments, each also backwards.
        seed: Of these orders.

    Raises:
        ValueError: A number out of its range.

    Reference:
        Shapley 1953; Castro et al. 2009, Comput. Oper. Res. 36, 1726 (sampling).
    """
    fragments = cut_fragments(game.mol)
    return attribute(game, fragments, coalition_values(game, fragments), exact, orders, seed)


def myerson(game: Game, *, exact: int = EXACT, orders: int = ORDERS, seed: int = 0) -> Attribution:
    """Attribute to fragments by Myerson values: fragments that are not connected do not work together.

    The value of a coalition is the sum of those of its connected parts, each less the baseline. The contributions sum
    to the difference between prediction and baseline for a connected molecule, and to that of its parts for a salt.

    Args:
        game: Of one molecule.
        exact: As in `shapley`.
        orders: As in `shapley`.
        seed: As in `shapley`.

    Reference:
        Myerson 1977, Math. Oper. Res. 2, 225.
    """
    fragments = cut_fragments(game.mol)
    neighbors = fragment_graph(game, fragments)
    inner = coalition_values(game, fragments)

    def values(coalitions: list[int]) -> np.ndarray:
        parts = [connected_parts(coalition, neighbors) for coalition in coalitions]
        flat = inner([part for each in parts for part in each]) - game.ends[0]
        bounds = np.cumsum([0, *map(len, parts)])
        sums = [flat[start:stop].sum() for start, stop in pairwise(bounds)]
        return game.ends[0] + np.array(sums)

    return attribute(game, fragments, values, exact, orders, seed)


def attribute(
    game: Game, fragments: tuple[tuple[int, ...], ...], values: Values, exact: int, orders: int, seed: int
) -> Attribution:
    """Compute the contributions of fragments, and share each among its atoms."""
    if exact < 1 or orders < 1 or exact > 16:
        raise ValueError(f"exact={exact}, orders={orders}: give 1 to 16 fragments, and at least 1 order")
    number = len(fragments)
    found = exact_values(number, values) if number <= exact else sampled_values(number, values, orders, seed)
    atoms = np.zeros(game.num_atoms)
    for fragment, value in zip(fragments, found, strict=True):
        atoms[list(fragment)] = value / len(fragment)
    gap = abs(found.sum() - (game.ends[1] - game.ends[0]))
    complete = bool(gap <= 1e-3 * max(game.scale, abs(game.ends[1] - game.ends[0]) / 10))
    return Attribution(atoms, np.zeros(game.num_bonds), game.ends[0], fragments, found, complete)


def coalition_values(game: Game, fragments: tuple[tuple[int, ...], ...]) -> Values:
    """Return the function from coalitions of fragments to values; each is computed once."""
    known: dict[int, float] = {}

    def values(coalitions: list[int]) -> np.ndarray:
        new = [coalition for coalition in dict.fromkeys(coalitions) if coalition not in known]
        if new:
            atoms = np.zeros((len(new), game.num_atoms), dtype=bool)
            for row, coalition in enumerate(new):
                for number, fragment in enumerate(fragments):
                    if coalition >> number & 1:
                        atoms[row, list(fragment)] = True
            known.update(zip(new, game.values(atoms).tolist(), strict=True))
        return np.array([known[coalition] for coalition in coalitions])

    return values


def exact_values(number: int, values: Values) -> np.ndarray:
    """Shapley values (F,) of F players from the values of all coalitions."""
    table = values(list(range(1 << number)))
    sizes = np.array([coalition.bit_count() for coalition in range(1 << number)])
    weights = np.array([1 / (number * comb(number - 1, size)) for size in range(number)])
    found = np.zeros(number)
    for player in range(number):
        without = np.array([coalition for coalition in range(1 << number) if not coalition >> player & 1])
        found[player] = (weights[sizes[without]] * (table[without | 1 << player] - table[without])).sum()
    return found


def sampled_values(number: int, values: Values, orders: int, seed: int) -> np.ndarray:
    """Mean contributions (F,) over drawn orders of F players, each forwards and backwards."""
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(number) for _ in range(orders)]
    drawn = [order for each in drawn for order in (each, each[::-1])]
    chains = [list(grow(order.tolist())) for order in drawn]
    table = values([coalition for chain in chains for coalition in chain]).reshape(len(chains), number + 1)
    found = np.zeros(number)
    for order, steps in zip(drawn, np.diff(table, axis=1), strict=True):
        found[order] += steps
    return found / len(drawn)


def grow(order: list[int]) -> Iterable[int]:
    """Give the coalitions to which players join in an order, the empty one first."""
    coalition = 0
    yield coalition
    for player in order:
        coalition |= 1 << player
        yield coalition


def fragment_graph(game: Game, fragments: tuple[tuple[int, ...], ...]) -> list[int]:
    """Neighbours of each fragment, as the bits of a number."""
    home = {atom: number for number, fragment in enumerate(fragments) for atom in fragment}
    neighbors = [0] * len(fragments)
    for first, second in game.bond_ends.tolist():
        neighbors[home[first]] |= 1 << home[second]
        neighbors[home[second]] |= 1 << home[first]
    return neighbors


def connected_parts(coalition: int, neighbors: list[int]) -> list[int]:
    """Connected parts of a coalition."""
    parts = []
    while coalition:
        part, border = 0, coalition & -coalition
        while border:
            part |= border
            reached = 0
            for number in range(border.bit_length()):
                if border >> number & 1:
                    reached |= neighbors[number]
            border = reached & coalition & ~part
        parts.append(part)
        coalition &= ~part
    return parts
