"""Descriptors of whole molecules: the 200 normalized RDKit values that GROVER and chemprop append to the readout."""

from __future__ import annotations

import contextlib
import io
import logging
import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.EState import EState

E_STATES = {
    name: getattr(EState, name)
    for name in ("MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex")
}
"""Descriptors that each compute the indices of all atoms anew, unless they are told to take those that are there."""


class RDKit2DDescriptors:
    """The 200 `rdkit_2d_normalized` descriptors, each the fraction of a reference population below the value.

    Values are cumulative probabilities in [0, 1]; a descriptor that RDKit cannot compute (NaN or infinite) is 0, as in
    GROVER's data preparation. Computing them takes about 5 ms for a drug-like molecule, most of it RDKit's.

    Raises:
        ImportError: The optional dependency descriptastorus is not installed (on construction).

    Example:
        >>> from rdkit import Chem
        >>> RDKit2DDescriptors()(Chem.MolFromSmiles("CCO")).shape
        (200,)

    Reference:
        Kelley, descriptastorus (`RDKit2DNormalized`); Yang et al. 2019 (arXiv:1904.01561).
    """

    name: ClassVar[str] = "rdkit_2d_normalized"
    size: ClassVar[int] = 200

    def __init__(self) -> None:
        self._columns  # noqa: B018 - a missing dependency is reported here, not at the first molecule

    @cached_property
    def _columns(self) -> list[tuple[Callable[[Chem.Mol], Any], Callable[[np.ndarray], np.ndarray] | None]]:
        """Functions of each value: of the molecule, and then to a fraction; None where the reference has none."""
        with contextlib.redirect_stdout(io.StringIO()):  # the package prints on import
            try:
                from descriptastorus.descriptors.rdNormalizedDescriptors import RDKit2DNormalized, cdfs
            except ImportError as error:
                raise ImportError(
                    f"the {self.name!r} descriptors need descriptastorus ({error}): pip install molzoo[descriptors]"
                ) from error
            logging.getLogger("descriptastorus").setLevel(logging.CRITICAL)
            generator = RDKit2DNormalized()
        functions = dict(generator.funcs) | {name: partial(function, force=0) for name, function in E_STATES.items()}
        return [(functions[name], cdfs.get(name)) for name, _ in generator.columns]

    def __getstate__(self) -> dict[str, Any]:
        return {}  # the columns hold functions that cannot be pickled; a worker process makes its own

    def __call__(self, mol: Chem.Mol) -> np.ndarray:
        """Describe one molecule.

        Args:
            mol: A sanitized molecule; it is not changed.

        Returns:
            Values in [0, 1], (200,), float32.
        """
        return self.describe_all([mol])[0]

    def describe_all(self, mols: Sequence[Chem.Mol]) -> np.ndarray:
        """Describe molecules together, which takes a third of the time: a distribution is asked once a column.

        Args:
            mols: Sanitized molecules; they are not changed.

        Returns:
            Values in [0, 1], (B, 200), float32.
        """
        raw = [[value_of(function, copy) for function, _ in self._columns] for copy in map(Chem.Mol, mols)]
        table, values = np.reshape(raw, (len(mols), self.size)), np.zeros((len(mols), self.size))
        for column, (_, fraction_below) in enumerate(self._columns):
            if fraction_below is not None:
                values[:, column] = fraction_below(table[:, column])
        return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def value_of(function: Callable[[Chem.Mol], Any], mol: Chem.Mol) -> float:
    """Compute a descriptor; NaN where RDKit cannot, for whatever reason, as the package has it."""
    try:
        return float(function(mol))
    except Exception:
        return math.nan
