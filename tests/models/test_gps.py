"""GPS against the definition on dense matrices, and its attention against torch's."""

import pytest
import torch
from support.graphs import graph_of

from featurizers import PackedMolecules, StructuralFeaturizer
from zoo.layers.atom_attention import AtomAttention
from zoo.layers.joined_input import eigenvalues
from zoo.layers.pair_blocks import PairBlocks
from zoo.models.gps import GPS, GPSConfig

MOLECULES = ["CC(=O)Oc1ccccc1", "C", "CC[NH3+].[Cl-]", "C1CC2CCC1CC2", "N" * 60]


def batch(smiles):
    featurizer = StructuralFeaturizer(walk_steps=5, num_vectors=2)
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(s)) for s in smiles]))


def network_by_hand(network, x):
    first, second = network.layers
    return torch.relu(x @ first.weight.T + first.bias) @ second.weight.T + second.bias


def torch_attention(ours):
    """torch's own multi-head attention with our weights."""
    D = ours.output.in_features
    theirs = torch.nn.MultiheadAttention(D, ours.num_heads, batch_first=True, dtype=torch.float64)
    theirs.in_proj_weight.data.copy_(ours.query_key_value.weight)
    theirs.in_proj_bias.data.copy_(ours.query_key_value.bias)
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs


def atoms_by_hand(model, graph):
    source, destination = graph.graph.edges()
    n = graph.graph.num_nodes()
    encoder = model.encoder
    e = torch.zeros(n, n, model.config.hidden_size, dtype=torch.float64)
    e[destination, source] = encoder.bond_input(graph.bond_feats.double())
    bonded = torch.zeros(n, n, 1, dtype=torch.float64)
    bonded[destination, source] = 1
    inputs = encoder.atom_input
    x = graph.atom_feats.double() @ inputs.feats.weight.T + inputs.feats.bias
    for name, linear in inputs.encodings.items():
        x = x + graph.graph.ndata[name].double() @ linear.weight.T
    for layer in encoder.layers:
        messages = (torch.relu(x[None] + e) * bonded).sum(1)
        local = layer.local_norm(x + network_by_hand(layer.local.network, x + messages))
        attended = torch_attention(layer.attention)(x[None], x[None], x[None], need_weights=False)[0][0]
        both = local + layer.attention_norm(x + attended)
        x = layer.norm(both + network_by_hand(layer.network, both))
    return x


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_equal_to_the_definition(norm, readout):
    torch.manual_seed(0)
    config = GPSConfig(
        num_tasks=2,
        walk_size=5,
        laplacian_size=2,
        hidden_size=12,
        num_layers=2,
        num_heads=3,
        norm=norm,
        norm_scope="atom",
        encodings="added",
        ffn_num_layers=2,
        head_shape="constant",
        readout=readout,
    )
    model = GPS(config).double()
    model(batch(MOLECULES))  # running statistics that are not the initial ones
    model.eval()
    got = model(batch(MOLECULES))
    for row, smiles in enumerate(MOLECULES):
        atoms = atoms_by_hand(model, batch([smiles]))
        pooled = atoms.mean(0) if readout == "mean" else atoms.sum(0)
        torch.testing.assert_close(got[row], network_by_hand(model.head.network, pooled))


def test_encodings_leave_columns_for_the_features():
    assert GPS(GPSConfig(walk_width=10)).encoder.atom_input.feats.out_features == 54
    with pytest.raises(ValueError, match="no column left next to walk_width=64"):
        GPS(GPSConfig(walk_width=64))


def test_eigenvalues_are_those_of_the_normalized_laplacian():
    graph = batch(MOLECULES)
    vectors = graph.graph.ndata["laplacian"].double()
    values, exists = eigenvalues(graph, vectors)
    whole = torch.zeros(len(vectors), len(vectors), dtype=torch.float64)
    whole[graph.graph.edges()] = 1
    ends = graph.num_atoms.cumsum(0).tolist()
    for number, (n, end) in enumerate(zip(graph.num_atoms.tolist(), ends, strict=True)):
        adjacency = whole[end - n : end, end - n : end]
        scale = adjacency.sum(1).clamp(min=1) ** -0.5
        expected = torch.linalg.eigvalsh(torch.eye(n) - scale[:, None] * adjacency * scale)[1:3]
        assert exists[number].sum() == len(expected)
        torch.testing.assert_close(values[number, : len(expected)], expected, rtol=1e-5, atol=1e-6)


def test_signs_of_laplacian_vectors_are_drawn_in_training_only():
    torch.manual_seed(0)
    model, graph = GPS(GPSConfig(walk_size=5, laplacian_size=2, attention_dropout=0.0)), batch(MOLECULES)
    assert not torch.equal(model(graph), model(graph))
    model.eval()
    assert torch.equal(model(graph), model(graph))


def test_attention_drops_weights_in_training_only():
    torch.manual_seed(0)
    attention = AtomAttention(8, 2, dropout=0.5)
    graph = graph_of([6])
    blocks, atoms = PairBlocks.of(graph), torch.randn(6, 8)
    assert not torch.equal(attention(blocks, atoms), attention(blocks, atoms))
    attention.eval()
    assert torch.equal(attention(blocks, atoms), attention(blocks, atoms))


def test_attention_has_second_derivatives():
    attention = AtomAttention(4, 2).double()
    blocks = PairBlocks.of(graph_of([1, 3]))
    atoms = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: attention(blocks, x), atoms)


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_size": 10},
        {"norm": "group"},
        {"readout": "max"},
        {"attention_dropout": 1.0},
        {"encodings": "sum"},
        {"norm_scope": "batch"},
        {"head_shape": "cone"},
        {"walk_width": -1},
    ],
)
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        GPSConfig(**options)
