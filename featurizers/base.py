"""Base class of featurizers: molecules to integer codes, codes to a batched graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rdkit import Chem

from featurizers.atom_pairs import AtomPairs
from featurizers.batch_arrays import batch_arrays
from featurizers.code_table import CodeTable
from featurizers.descriptors import RDKit2DDescriptors
from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.needs import SIZES
from featurizers.packed import MoleculeArrays, PackedMolecules
from featurizers.reading import MOST_ATOMS, check_size, name_of, read_molecule
from featurizers.recorded import fingerprint, recorded_options
from featurizers.silence import silence

if TYPE_CHECKING:
    from typing_extensions import Self

    from featurizers.molecule_graph import MoleculeGraph

MOST_ATOMS_IN_PAIRS = 1000
"""A million pairs: 4 MB encoded, and some hundred times that in a layer of a model with states for pairs."""
HYDROGENS = ("folded", "atoms", "as_written")


class Featurizer(ABC):
    """Conversion of molecules to a `MoleculeGraph`, in two steps that a data store can keep apart.

    `encode` writes a molecule as a few integers per atom and bond; `collate` expands the codes of a complete batch to
    float features and makes one DGL graph. Calling the featurizer does both for one molecule. Other numbers
    travel as named arrays (`MoleculeArrays.extra`): "atoms.x" becomes `graph.ndata["x"]`, "bonds.x" its `edata["x"]`,
    "pairs.x" that of `pairs`, "molecule.x" `MoleculeGraph.extra["x"]`. A subclass with `atom_number_size` numbers of
    its own for each atom computes them in `atom_numbers(mol)`.

    Args:
        max_atoms: Refuse molecules with more heavy atoms; `None` leaves it to `atom_limit`.
        hydrogens: "folded" counts hydrogens with their heavy atom, so that it does not matter how a molecule was
            written; "atoms" makes every hydrogen an atom; "as_written" takes atom maps and explicit hydrogens as RDKit
            reads them, as versions before 0.2 did.
        standardize: Keep the largest fragment and neutralise charges (rdMolStandardize) before encoding.
        descriptors: Also describe the whole molecule by "rdkit_2d_normalized" (`True` is the same), which fills
            `graph.descriptors` (B, 200) and takes about 5 ms a molecule; `None` or `False` does not.
        pairs: Fill `graph.pairs` with the distances and bonds of all ordered atom pairs, see `AtomPairs.arrays`.
        path_length: Give also this many bonds of a shortest path between the atoms of a pair; needs `pairs`.
        random_walks: Give also this many random-walk probabilities of a pair; needs `pairs`.

    Raises:
        ValueError: An option out of its range.
        ImportError: Descriptors are asked for and their package is missing.

    Example:
        >>> from featurizers import GroverFeaturizer
        >>> graph = GroverFeaturizer()("CCO")
        >>> graph.atom_feats.shape
        torch.Size([3, 151])
    """

    name: ClassVar[str]
    version: ClassVar[int] = 3
    legacy_defaults: ClassVar[Mapping[str, Any]] = {"hydrogens": "as_written"}
    _recorded: dict[str, Any]
    atom_size: int
    atom_number_size: int = 0
    bond_size: int
    pair_size: int = 0
    descriptor_size: int = 0
    walk_size: int = 0
    laplacian_size: int = 0

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Record the options of the constructor, whatever class declares them."""
        self = super().__new__(cls)
        self._recorded = recorded_options(cls, args, kwargs)
        return self

    def __init__(
        self,
        *,
        max_atoms: int | None = None,
        hydrogens: str = "folded",
        standardize: bool = False,
        descriptors: str | bool | None = None,
        pairs: bool = False,
        path_length: int = 0,
        random_walks: int = 0,
    ) -> None:
        if max_atoms is not None and max_atoms < 1:
            raise ValueError(f"max_atoms={max_atoms}: give a positive number, or None for no limit")
        if hydrogens not in HYDROGENS:
            raise ValueError(f"hydrogens={hydrogens!r}: choose one of {', '.join(map(repr, HYDROGENS))}")
        self.max_atoms = max_atoms
        self.hydrogens = hydrogens
        self.standardize = standardize
        if descriptors not in (None, True, False, RDKit2DDescriptors.name):
            raise ValueError(f"descriptors={descriptors!r}: choose {RDKit2DDescriptors.name!r} or None")
        self.descriptors = RDKit2DDescriptors() if descriptors else None
        self.descriptor_size = RDKit2DDescriptors.size if descriptors else 0
        if not pairs and (path_length or random_walks):
            raise ValueError(f"path_length={path_length}, random_walks={random_walks}: give pairs=True too")
        self.pairs = AtomPairs(path_length, random_walks) if pairs else None
        self.pair_size = 0 if self.pairs is None else self.pairs.size
        self._atom_table, self._bond_table = CodeTable(self.expand_atoms), CodeTable(self._expand_both_directions)

    @property
    def options(self) -> dict[str, Any]:
        """Value of each option of the constructor, recorded when the featurizer was made."""
        return dict(self._recorded)

    @property
    def fingerprint(self) -> str:
        """Key of what is encoded (64 hex digits): the class, its version and its options."""
        kind = type(self)
        return fingerprint(f"{kind.__module__}.{kind.__qualname__}", self.name, self.version, self.options)

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of what is given, by the names under which models ask for them."""
        return {size: getattr(self, size) for size in SIZES} | {"atom_size": self.atom_size + self.atom_number_size}

    @property
    def atom_limit(self) -> int:
        """Most atoms that a molecule may have; fewer where memory grows with their square."""
        return MOST_ATOMS if self.pairs is None else MOST_ATOMS_IN_PAIRS

    @abstractmethod
    def encode(self, mol: Chem.Mol) -> MoleculeArrays:
        """Write a parsed molecule as integer codes."""

    def encode_all(self, mols: Sequence[Chem.Mol]) -> PackedMolecules:
        """Write several molecules that were prepared, at least one; they may be given properties."""
        return PackedMolecules.pack([self.encode(mol) for mol in mols])

    @abstractmethod
    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, C) to features (N, `atom_size`), float32; each row depends on its code alone."""

    @abstractmethod
    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, K) to features (M, `bond_size`), float32; each row depends on its code alone."""

    def parse(self, molecule: str | Chem.Mol) -> Chem.Mol:
        """Read a SMILES, or check a molecule.

        Raises:
            InvalidMolecule: It cannot be read, has no atoms, or has more than `max_atoms` or `atom_limit`.
        """
        return self.prepare(read_molecule(molecule, as_written=self.as_written), molecule)

    @property
    def as_written(self) -> bool:
        """Whether hydrogen counts and atom maps stay as RDKit reads them."""
        return self.hydrogens == "as_written"

    def prepare(self, mol: Chem.Mol, molecule: str | Chem.Mol) -> Chem.Mol:
        """Standardize a molecule as the options say, and check its size.

        Args:
            mol: What `read_molecule` gave, with the `as_written` of this featurizer; it is not changed.
            molecule: What it was read from, for messages.

        Raises:
            InvalidMolecule: It has more atoms than `max_atoms` or `atom_limit`.
        """
        if self.standardize:
            from featurizers.standardize import standardize

            mol = standardize(mol, name_of(molecule), in_one_form=not self.as_written)
        check_size(mol, molecule, self.max_atoms, self.atom_limit)
        if self.hydrogens == "atoms":
            mol = Chem.AddHs(mol)
            check_size(mol, molecule, limit=self.atom_limit)
        return mol

    def read(self, molecule: str | Chem.Mol) -> MoleculeArrays:
        """Parse and encode a molecule.

        Raises:
            InvalidMolecule: It cannot be parsed, or its features cannot be computed.
        """
        return self.encode_prepared(self.parse(molecule), molecule)

    def encode_prepared(self, mol: Chem.Mol, molecule: str | Chem.Mol) -> MoleculeArrays:
        """Encode what `prepare` gave; `molecule` names it in messages.

        Raises:
            InvalidMolecule: Its features cannot be computed.
        """
        try:
            with silence():
                arrays = self.encode(mol)
                size = self.atom_number_size
                return arrays.with_atom_numbers(self.atom_numbers(mol), size) if size else arrays
        except InvalidMolecule:
            raise
        except FAILURES as error:
            raise InvalidMolecule(name_of(molecule), f"its features cannot be computed: {why_failed(error)}") from error

    def describe(self, mol: Chem.Mol) -> np.ndarray | None:
        """Descriptors of the whole molecule (F,), float32, if this featurizer has any."""
        return None if self.descriptors is None else self.descriptors(mol)

    def describe_all(self, mols: Sequence[Chem.Mol]) -> np.ndarray | None:
        """Descriptors of several molecules (B, F), float32, at least one, if this featurizer has any."""
        if type(self).describe is Featurizer.describe:
            return None if self.descriptors is None else self.descriptors.describe_all(mols)
        described = [found for mol in mols if (found := self.describe(mol)) is not None]
        return np.stack(described) if described else None

    def atom_numbers(self, mol: Chem.Mol) -> np.ndarray:
        """Numbers of the user for each atom (N, `atom_number_size`), which stand behind the features of the atoms."""
        raise NotImplementedError(
            f"{type(self).__name__} has atom_number_size={self.atom_number_size}: compute them here"
        )

    def relate(self, mol: Chem.Mol, bond_ends: np.ndarray) -> np.ndarray | None:
        """Codes of the atom pairs (N * N, Q), if this featurizer has any; bonds (M, 2) as its bond codes order them."""
        return None if self.pairs is None else self.pairs.encode(mol, bond_ends)

    def atom_features(self, codes: np.ndarray) -> np.ndarray:
        """Return what `expand_atoms` gives, copied from a table of the codes seen so far."""
        return self._atom_table(codes)

    def bond_features(self, codes: np.ndarray) -> np.ndarray:
        """Return what `expand_bonds` gives, copied from a table, each row twice: (2M, `bond_size`)."""
        return self._bond_table(codes).reshape(2 * len(codes), self.bond_size)

    def _expand_both_directions(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, K) to features of both directions side by side (M, 2 `bond_size`)."""
        return np.tile(self.expand_bonds(codes), 2)

    def batch_arrays(self, packed: PackedMolecules) -> dict[str, np.ndarray]:
        """Return the arrays of a batch of encoded molecules by name, see `featurizers.batch_arrays`."""
        return batch_arrays(packed, self.atom_features(packed.atoms), self.bond_features(packed.bonds), self.pairs)

    def collate(self, packed: PackedMolecules) -> MoleculeGraph:
        """Make one batched graph of encoded molecules."""
        from featurizers.collating import collate  # torch, which processes that only encode do without

        graph = collate(self.batch_arrays(packed))
        graph.partners = tuple(self.collate(partner) for partner in packed.partners)
        return graph

    def __call__(self, molecule: str | Chem.Mol) -> MoleculeGraph:
        """One molecule as a batch of one."""
        return self.collate(PackedMolecules.pack([self.read(molecule)]))
