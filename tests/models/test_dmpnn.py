"""D-MPNN against the definition, bond by bond."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from featurizers import GroverFeaturizer, PackedMolecules
from zoo.models.dmpnn import DMPNN, DMPNNConfig

MOLECULES = ["CC(=O)Oc1ccccc1", "C", "CC[NH3+].[Cl-]", "C1CC2CCC1CC2"]


def batch(smiles, **options):
    featurizer = GroverFeaturizer(**options)
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(s)) for s in smiles]))


def atoms_by_hand(encoder, graph, steps):
    """Atoms of one molecule with one dictionary entry per directed bond (v, w)."""
    x = graph.atom_feats.double()
    ends = list(zip(*(end.tolist() for end in graph.graph.edges()), strict=True))
    feats = dict(zip(ends, graph.bond_feats.double(), strict=True))
    weight = torch.cat([encoder.atom_input.weight, encoder.bond_input.weight], dim=1)
    inputs = {(v, w): weight @ torch.cat([x[v], feats[v, w]]) for v, w in ends}
    state = {bond: torch.relu(value) for bond, value in inputs.items()}
    zero = torch.zeros(weight.shape[0], dtype=torch.float64)
    for _ in range(steps):
        heard = {(v, w): sum((state[u, a] for u, a in ends if a == v and u != w), zero) for v, w in ends}
        state = {bond: torch.relu(inputs[bond] + encoder.message.weight @ heard[bond]) for bond in ends}
    rows = []
    for v in range(len(x)):
        total = sum((state[u, a] for u, a in ends if a == v), zero)
        rows.append(torch.relu(encoder.output.weight @ torch.cat([x[v], total]) + encoder.output.bias))
    return torch.stack(rows)


@pytest.mark.parametrize("num_layers", [1, 2, 4])
@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_equal_to_the_definition(num_layers, readout):
    torch.manual_seed(0)
    config = DMPNNConfig(num_tasks=2, hidden_size=9, num_layers=num_layers, readout=readout, ffn_num_layers=1)
    model = DMPNN(config).double()
    torch.nn.init.normal_(model.encoder.output.bias)
    got = model(batch(MOLECULES))
    for row, smiles in enumerate(MOLECULES):
        atoms = atoms_by_hand(model.encoder, batch([smiles]), num_layers - 1)
        pooled = atoms.mean(0) if readout == "mean" else atoms.sum(0)
        layer = model.head.network.layers[0]
        torch.testing.assert_close(got[row], layer.weight @ pooled + layer.bias)


def test_descriptors_join_the_readout():
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    model = DMPNN(DMPNNConfig(descriptor_size=200, hidden_size=8)).eval()
    graph = batch(MOLECULES[:2], descriptors=True)
    before = model(graph)
    graph.descriptors = graph.descriptors + 1
    assert not torch.equal(model(graph), before)
    assert model.embed(graph).shape == (2, 8)
    with pytest.raises(ValueError, match=r"needs descriptors \(B, 200\)"):
        model(batch(MOLECULES[:2]))


@pytest.mark.parametrize("options", [{"num_layers": 0}, {"readout": "max"}, {"dropout": -0.1}, {"activation": "x"}])
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        DMPNNConfig(**options)


def chemprop_atom(atom):
    """The 133 features of an atom in chemprop 1, from its published lists of choices."""
    hybridization = Chem.HybridizationType
    groups = [
        (atom.GetAtomicNum() - 1, range(100)),
        (atom.GetTotalDegree(), range(6)),
        (atom.GetFormalCharge(), (-1, -2, 1, 2, 0)),
        (int(atom.GetChiralTag()), range(4)),
        (atom.GetTotalNumHs(), range(5)),
        (atom.GetHybridization(), [getattr(hybridization, name) for name in ("SP", "SP2", "SP3", "SP3D", "SP3D2")]),
    ]
    features = []
    for value, choices in groups:
        one_hot = [0.0] * (len(choices) + 1)
        one_hot[list(choices).index(value) if value in choices else -1] = 1.0
        features += one_hot
    return [*features, float(atom.GetIsAromatic()), atom.GetMass() * 0.01]


def test_the_first_columns_are_those_of_chemprop_but_for_the_order_of_charges():
    """As the docstring says; charges from -2 to +2."""
    columns = np.arange(133)
    columns[108:113] = [113, 112, 109, 110, 108]
    columns[113] = 111
    for smiles in [
        "[O-]C(=O)c1ccc(Br)cc1",
        "[O-2].[Mg+2]",
        "C[NH3+]",
        "CS(=O)(=O)N",
        "[13CH4]",
        "FP(F)(F)(F)F",
        "N#CC",
    ]:
        mol = Chem.MolFromSmiles(smiles)
        expected = np.array([chemprop_atom(atom) for atom in mol.GetAtoms()], dtype=np.float32)
        np.testing.assert_allclose(batch([smiles]).atom_feats.numpy()[:, columns], expected, rtol=1e-6)
