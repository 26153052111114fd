"""Attribution by masking: what changes when a model does not see an atom or a bond."""

from __future__ import annotations

import numpy as np

from zoo.trust.attribution.attribution import Attribution
from zoo.trust.attribution.games import Game


def masking(game: Game) -> Attribution:
    """Attribute to each atom the change of the prediction when its features, and those of its bonds, are taken away.

    A bond gets the change without its own features. The contributions need not sum to the prediction: two atoms that
    each suffice get none.

    Args:
        game: Of one molecule.
    """
    atoms = ~np.eye(game.num_atoms, dtype=bool)
    full = game.ends[1]
    of_atoms = full - game.values(atoms)
    of_bonds = np.zeros(game.num_bonds)
    if game.num_bonds:
        everything = np.ones((game.num_bonds, game.num_atoms), dtype=bool)
        of_bonds = full - game.values(everything, ~np.eye(game.num_bonds, dtype=bool))
    return Attribution(of_atoms, of_bonds, game.ends[0], complete=False)
