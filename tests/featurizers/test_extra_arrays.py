"""Named arrays travel from the molecule through packing and store to the graph."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from featurizers import CanonicalFeaturizer, PackedMolecules
from zoo.data import MoleculeLoader, featurize

SMILES = ["CCO", "C", "c1ccccc1N", "[Na+].[Cl-]", "CC(=O)O"]


class Described(CanonicalFeaturizer):
    """Numbers at every level, told from the molecule alone."""

    name = "described"

    def encode(self, mol):
        molecule = super().encode(mol)
        n, m = mol.GetNumAtoms(), mol.GetNumBonds()
        extra = {
            "atoms.mass": np.array([[atom.GetMass()] for atom in mol.GetAtoms()], dtype=np.float32),
            "bonds.order": np.array([bond.GetBondTypeAsDouble() for bond in mol.GetBonds()], dtype=np.float32),
            "pairs.sum": np.add.outer(np.arange(n), np.arange(n)).reshape(-1).astype(np.int16),
            "molecule.sizes": np.array([n, m], dtype=np.int64),
            "molecule.table": np.full((2, 2), n, dtype=np.float32),
        }
        return replace(molecule, extra=extra)


def check(graph, sizes):
    assert graph.num_atoms.tolist() == [n for n, _ in sizes]
    assert graph.extra["sizes"].tolist() == [list(size) for size in sizes]
    assert graph.extra["table"][:, 1, 1].tolist() == [n for n, _ in sizes]
    assert graph.graph.ndata["mass"].shape == (graph.graph.num_nodes(), 1)
    orders = graph.graph.edata["order"]
    assert torch.equal(orders[::2], orders[1::2])
    expected = [i + j for n, _ in sizes for i in range(n) for j in range(n)]
    assert graph.pairs.edata["sum"].tolist() == expected


@pytest.mark.parametrize("cached", [False, True])
def test_arrays_of_every_level_reach_the_graph(cached, tmp_path):
    featurizer = Described(pairs=True)
    texts = [SMILES[0], "bad", *SMILES[1:]]
    for _ in range(2):  # the second time from the store
        packed = featurize(texts, featurizer, on_invalid="empty", cache_dir=tmp_path if cached else None)
        assert np.asarray(packed.extra["molecule.sizes"])[:, 0].tolist() == packed.num_atoms.tolist()
        assert np.isnan(np.asarray(packed.extra["molecule.table"])[1]).all()
        batch = next(iter(MoleculeLoader(packed, featurizer, indices=[4, 0, 2], batch_size=3)))
        check(batch.graph, [(2, 0), (3, 2), (1, 0)])
        assert batch.graph.graph.ndata["mass"][0].item() == pytest.approx(22.99, abs=0.01)


def test_one_molecule_and_another_device():
    graph = Described(pairs=True)("CCO")
    check(graph, [(3, 2)])
    moved = graph.to("cpu:0")
    assert moved is not graph
    check(moved, [(3, 2)])


def test_pairs_in_extra_arrays_need_no_other_pairs():
    featurizer = Described()
    packed = PackedMolecules.pack([featurizer.read(smiles) for smiles in SMILES])
    assert packed.take([1, 0]).extra["pairs.sum"].tolist() == [0, 0, 1, 2, 1, 2, 3, 2, 3, 4]
    again = PackedMolecules.from_arrays(packed.arrays())
    assert again.extra.keys() == packed.extra.keys()


def test_arrays_that_do_not_fit_are_refused():
    molecule = CanonicalFeaturizer().read("CCO")
    for name, array, message in [
        ("atoms.x", np.zeros(2), "has 2 rows: 3 are needed"),
        ("bonds.x", np.zeros((3, 1)), "has 3 rows: 2 are needed"),
        ("pairs.x", np.zeros(3), "has 3 rows: 9 are needed"),
        ("charges", np.zeros(3), "call it atoms.x"),
        ("atoms.", np.zeros(3), "call it atoms.x"),
        ("molecules.x", np.zeros(3), "call it atoms.x"),
    ]:
        with pytest.raises(ValueError, match=message):
            replace(molecule, extra={name: array})
    with pytest.raises(ValueError, match="the same extra arrays"):
        PackedMolecules.pack([molecule, replace(molecule, extra={"atoms.x": np.zeros(3)})])
