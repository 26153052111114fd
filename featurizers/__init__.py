"""SMILES to graphs: pure functions of one molecule, without parameters, labels or randomness."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "atom_pairs": ["AtomPairs"],
        "base": ["Featurizer"],
        "canonical": ["CanonicalFeaturizer"],
        "compt": ["ComptFeaturizer"],
        "descriptors": ["RDKit2DDescriptors"],
        "errors": ["InvalidMolecule"],
        "fingerprint": ["FingerprintFeaturizer"],
        "grover": ["GroverFeaturizer"],
        "mat": ["MATFeaturizer"],
        "molecule_graph": ["MoleculeGraph"],
        "packed": ["MoleculeArrays", "PackedMolecules"],
        "reading": ["read_molecule"],
        "structural": ["StructuralFeaturizer"],
    },
)
