"""Bemis-Murcko scaffolds, of large molecules too."""

from __future__ import annotations

from rdkit import Chem

MANY_ATOMS = 200
"""Atoms up to which RDKit's own function, whose time grows with their third power, takes milliseconds."""


def scaffold_smiles(mol: Chem.Mol) -> str:
    """Return the Bemis-Murcko scaffold as SMILES without chirality; `""` for a molecule without rings.

    Rings, what links them, and atoms with a double bond to either.

    Raises:
        ValueError: RDKit cannot cut this molecule; RuntimeError likewise.

    Reference:
        Bemis & Murcko 1996, J. Med. Chem. 39, 2887.

    Example:
        >>> scaffold_smiles(Chem.MolFromSmiles("CCc1ccccc1"))
        'c1ccccc1'
    """
    if not mol.GetRingInfo().NumRings():
        return ""
    if mol.GetNumAtoms() <= MANY_ATOMS:
        from rdkit.Chem.Scaffolds import MurckoScaffold  # imports most of RDKit

        return MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)
    return Chem.MolToSmiles(cut_side_chains(mol), isomericSmiles=False)


def cut_side_chains(mol: Chem.Mol) -> Chem.Mol:
    """Return the scaffold that `MurckoScaffold.GetScaffoldForMol` gives, in time that grows with the atoms alone."""
    kept = rings_and_linkers(mol)
    scaffold = Chem.RWMol(mol)
    scaffold.BeginBatchEdit()
    for atom in scaffold.GetAtoms():
        if kept[atom.GetIdx()]:
            continue
        bonds = [bond for bond in atom.GetBonds() if kept[bond.GetOtherAtomIdx(atom.GetIdx())]]
        if any(bond.GetBondType() == Chem.BondType.DOUBLE for bond in bonds):
            continue
        for bond in bonds:
            _forget_substituent(bond.GetOtherAtom(atom))
        scaffold.RemoveAtom(atom.GetIdx())
    scaffold.CommitBatchEdit()
    result = scaffold.GetMol()
    result.ClearComputedProps()
    result.UpdatePropertyCache()
    Chem.GetSymmSSSR(result)
    return result


def rings_and_linkers(mol: Chem.Mol) -> list[bool]:
    """Return whether each atom (N) is in a ring or between rings: the rest after cutting chain ends repeatedly."""
    neighbors = [[other.GetIdx() for other in atom.GetNeighbors()] for atom in mol.GetAtoms()]
    degrees = [len(others) for others in neighbors]
    kept = [True] * len(degrees)
    ends = [atom for atom, degree in enumerate(degrees) if degree <= 1]
    while ends:
        atom = ends.pop()
        kept[atom] = False
        for other in neighbors[atom]:
            degrees[other] -= 1
            if kept[other] and degrees[other] == 1:
                ends.append(other)
    return kept


def _forget_substituent(atom: Chem.Atom) -> None:
    """Let an atom that lost a neighbour count a hydrogen in its place, as RDKit does."""
    if atom.GetIsAromatic() and atom.GetAtomicNum() != 6:
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(1)
    elif atom.GetNoImplicit() or atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
