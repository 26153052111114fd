"""The patterns of GROVER that are matched for many molecules at once are those that RDKit matches in each."""

import numpy as np
import pytest
from rdkit import Chem, RDLogger

import zoo
from featurizers import InvalidMolecule, read_molecule
from featurizers.codes import charges, unsigned
from featurizers.grover_patterns import PATTERNS, find_patterns, matches
from featurizers.molecule_parts import MoleculeParts

PUBLISHED = (
    "[$([O,S;H1;v2;!$(*-*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),$([N;v3;!$(N-*=[O,N,P,S])]),"
    "n&H0&+0,$([o,s;+0;!$([o,s]:n);!$([o,s]:c:n)])]",
    "[$([N;!H0;v3,v4&+1]),$([O,S;H1;+0]),n&H1&+0]",
    "[$([C,S](=[O,S,P])-[O;H1,-1])]",
    "[#7;+,$([N;H2&+0][$([C,a]);!$([C,a](=O))]),$([N;H1&+0]([$([C,a]);!$([C,a](=O))])[$([C,a]);!$([C,a](=O))]),"
    "$([N;H0&+0]([C;!$(C(=O))])([C;!$(C(=O))])[C;!$(C(=O))])]",
)
# fmt: off
ODD = [
    "CC(=O)[O-]", "CS(=O)(=O)O", "CP(=O)(O)O", "C[NH3+]", "C[N+](C)(C)C", "C[SH]", "C[S-]", "CC(=S)O", "CC(=O)S",
    "C[OH2+]", "[OH-]", "c1cocn1", "c1cnoc1", "c1cnsc1", "c1cscn1", "c1cnns1", "O=c1cc[nH]cc1", "c1cc[nH+]cc1",
    "c1cc[n-]c1", "C[n+]1ccccc1", "[O-][n+]1ccccc1", "NC(=O)N", "NC(=N)N", "CN(C)C", "CN(C)C=O", "CNc1ccccc1",
    "Nc1ccncc1", "CN(C)c1ccccc1", "N#CC=C", "C=[N+]=[N-]", "CC(O)=O", "OC=O", "OS(=O)(=O)O", "O=NO", "CON=O",
    "OP(O)(O)=O", "NP(=O)(N)N", "CSSC", "CS(C)=O", "S", "O", "N", "[NH4+]", "[H]O[H]", "[2H]OC(C)=O",
    "[2H]N([2H])C", "*N", "*OC=O", "N->B", "[NH3]->[Pt]", "C$C", "c1cc[se]c1", "c1ccoc1", "c1ccsc1",
    "o1cnc2ccccc12", "[CH2]O", "[NH2]", "C[N]C", "B1OCCO1", "C:O", "CC:OC", "C:N",
]
# fmt: on


def found_together(mols: list[Chem.Mol], sort: bool = False) -> list[np.ndarray]:
    parts, read = MoleculeParts(mols, sort), Chem.Atom
    numbers, hydrogens, aromatic = (
        unsigned(getter, parts.atoms) for getter in (read.GetAtomicNum, read.GetTotalNumHs, read.GetIsAromatic)
    )
    columns = find_patterns(parts, numbers, hydrogens, charges(parts), aromatic)
    return [np.frombuffer(column, dtype=bool) for column in columns]


def assert_equal_to_rdkit(mols: list[Chem.Mol], sort: bool = False) -> None:
    for found, pattern in zip(found_together(mols, sort), PATTERNS, strict=True):
        parts = np.split(found, np.cumsum([mol.GetNumAtoms() for mol in mols])[:-1])
        for mol, part in zip(mols, parts, strict=True):
            assert part.tolist() == matches(mol, pattern).tolist(), Chem.MolToSmiles(mol)


def edited(mol: Chem.Mol, random: np.random.Generator) -> Chem.Mol:
    """A copy with another element, charge, number of hydrogens or order of a bond somewhere."""
    copy = Chem.RWMol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=True)
    for _ in range(random.integers(1, 4)):
        atom = copy.GetAtomWithIdx(int(random.integers(copy.GetNumAtoms())))
        bond = copy.GetBondWithIdx(int(random.integers(copy.GetNumBonds())))
        kind = random.integers(4)
        if kind == 0:
            atom.SetAtomicNum(int(random.choice([1, 5, 6, 7, 8, 15, 16, 34])))
        elif kind == 1:
            atom.SetFormalCharge(int(random.integers(-2, 3)))
        elif kind == 2:
            atom.SetNoImplicit(True)
            atom.SetNumExplicitHs(int(random.integers(4)))
        else:
            bond.SetBondType(Chem.BondType.values[int(random.choice([1, 2, 3, 17, 21]))])
    Chem.SanitizeMol(copy)
    return copy.GetMol()


def test_they_match_what_the_published_ones_match() -> None:
    for published, pattern in zip(map(Chem.MolFromSmarts, PUBLISHED), PATTERNS, strict=True):
        for smiles in [*ODD, *zoo.data.load("b3db").smiles[:500]]:
            mol = read_molecule(smiles)
            assert matches(mol, pattern).tolist() == matches(mol, published).tolist(), smiles


@pytest.mark.parametrize("sort", [False, True])
def test_many_at_once_and_one_by_one(sort: bool) -> None:
    assert_equal_to_rdkit([read_molecule(smiles) for smiles in [*ODD, *zoo.data.load("b3db").smiles[::5]]], sort)


def test_hydrogens_that_are_atoms_count() -> None:
    mols = [read_molecule(smiles) for smiles in [*ODD, *zoo.data.load("b3db").smiles[::50]]]
    assert_equal_to_rdkit([Chem.AddHs(mol) for mol in mols] + mols)


def test_molecules_that_no_data_set_has() -> None:
    random, mols = np.random.default_rng(0), []
    smiles = zoo.data.load("b3db").smiles
    RDLogger.DisableLog("rdApp.*")
    while len(mols) < 1500:
        try:
            mols.append(edited(read_molecule(str(random.choice(smiles))), random))
        except (InvalidMolecule, ValueError):  # an edit that no valence allows
            continue
    RDLogger.EnableLog("rdApp.*")
    assert_equal_to_rdkit(mols)
    assert [int(found.sum()) > 100 for found in found_together(mols)] == [True] * 4


def test_a_molecule_without_bonds() -> None:
    assert [found.tolist() for found in found_together([read_molecule("[OH-]")])] == [[True], [False], [False], [False]]
