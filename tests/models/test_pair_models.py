"""Models with states or biases of atom pairs, against their formulas for one molecule at a time, pair by pair."""

import math

import pytest
import torch
import torch.nn.functional as F

from featurizers import CanonicalFeaturizer, PackedMolecules
from zoo.layers.pair_blocks import MASKED, PairBlocks
from zoo.models.egt import EGT, EGTConfig
from zoo.models.graphormer import Graphormer, GraphormerConfig
from zoo.models.grit import GRIT, GRITConfig
from zoo.models.mat import MAT, MATConfig

SMILES = ["C", "CC(=O)Oc1ccccc1C(=O)O", "[Na+].CC([O-])=O", "c1ccc2[nH]ccc2c1", "C" * 30, "F/C=C/Cl"]
FEATURIZER = CanonicalFeaturizer(pairs=True, path_length=5, random_walks=21)
SMALL = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "num_tasks": 3}
close = torch.testing.assert_close


def collate(molecules, featurizer=FEATURIZER):
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(m)) for m in molecules]))


def random_model(cls, **options):
    torch.manual_seed(0)
    model = cls(cls.config_class(**{**SMALL, **options})).double().eval()
    for parameter in model.parameters():
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    return model


def square(graph, name):
    """Pair features of a single molecule (n, n, ...)."""
    n = graph.graph.num_nodes()
    return graph.pairs.edata[name].view(n, n, -1).squeeze(2)


def with_first_token(matrix, value):
    """One more row and column in front."""
    return F.pad(matrix, (1, 0, 1, 0), value=value)


def mat_by_hand(model, graph):
    config, encoder = model.config, model.encoder
    distance = with_first_token(square(graph, "distance"), -1)
    n, H = len(distance), config.num_heads
    near, bonded = torch.zeros(2, n, n, dtype=torch.float64)
    for i in range(n):
        for j in range(n):
            near[i, j] = -distance[i, j] if distance[i, j] >= 0 else -1e6
            bonded[i, j] = float(distance[i, j] in (0, 1))
    near = near.softmax(1) if config.distance_kernel == "softmax" else near.exp()
    bonded = bonded / (bonded.sum(1, keepdim=True) + 1e-6)
    dummy = encoder.dummy_node + encoder.atom_embedding.bias
    x = torch.cat([dummy[None], encoder.atom_embedding(graph.atom_feats.double())])
    for layer in encoder.layers:
        q, k, v = layer.query_key_value(layer.norm(x)).view(n, 3, H, -1).unbind(1)
        out = torch.zeros_like(v)
        for i in range(n):
            for h in range(H):
                weights = 0.33 * (k[:, h] @ q[i, h] / math.sqrt(q.shape[2])).softmax(0)
                out[i, h] = (weights + 0.33 * near[i] + 0.34 * bonded[i]) @ v[:, h]
        x = x + layer.output(out.flatten(1))
        x = x + F.leaky_relu(layer.feed_forward(layer.ffn_norm(x)), 0.1)
    return model.head(encoder.norm(x).mean(0))


def grit_by_hand(model, graph):
    config, encoder = model.config, model.encoder
    n, H = graph.graph.num_nodes(), config.num_heads
    walk, bond = square(graph, "walk").double()[..., : config.random_walks], square(graph, "bond").view(n, n)
    x = encoder.atom_embedding(graph.atom_feats.double())
    x = x + torch.stack([encoder.return_embedding(walk[i, i]) for i in range(n)])
    e = encoder.walk_embedding(walk)
    for i in range(n):
        for j in range(n):
            if bond[i, j] >= 0:
                e[i, j] = e[i, j] + encoder.bond_embedding(graph.bond_feats[bond[i, j]].double())
    degrees = (bond >= 0).sum(1)
    for layer in encoder.layers:
        q, k, v = layer.query_key_value(x).chunk(3, dim=1)
        q = q if config.bias else q + layer.query_bias
        scale, shift = layer.scale_and_shift(e).chunk(2, dim=2)
        s = torch.empty_like(e)
        out = torch.zeros(n, H, x.shape[1] // H, dtype=torch.float64)
        for i in range(n):
            for j in range(n):
                product = (q[i] + k[j]) * scale[i, j]
                root = product / (product.abs() + config.root_eps).sqrt()
                s[i, j] = (root + shift[i, j]).clamp(min=0)
            heads = s[i].view(n, H, -1)
            scores = (heads * layer.to_score).sum(2)
            weights = (scores if config.clamp is None else scores.clamp(-config.clamp, config.clamp)).softmax(0)
            for h in range(H):
                for j in range(n):
                    value = v[j].view(H, -1)[h] + heads[j, h] @ layer.to_value[h]
                    out[i, h] += weights[j, h] * value
        out = out.flatten(1)
        out = layer.without_degree * out + layer.with_degree * out * torch.log(1.0 + degrees.double())[:, None]
        x = layer.norm(x + layer.output(out))
        x = layer.ffn_norm(x + layer.feed_forward(x))
        if layer.update_pairs:
            e = layer.pair_norm((e + layer.pair_output(s)).flatten(0, 1)).view_as(e)
    return model.head(x.mean(0) if config.readout == "mean" else x.sum(0))


@pytest.mark.parametrize(
    ("cls", "by_hand", "options"),
    [
        (MAT, mat_by_hand, {"atom_size": 74, "distance_kernel": "softmax"}),
        (MAT, mat_by_hand, {"atom_size": 74, "distance_kernel": "exp"}),
        (GRIT, grit_by_hand, {"clamp": 0.2, "hidden_size": 32}),
        (GRIT, grit_by_hand, GRITConfig.legacy_defaults),
    ],
    ids=["mat_softmax", "mat_exp", "grit", "grit_legacy"],
)
def test_a_batch_scores_as_its_molecules_do_pair_by_pair(cls, by_hand, options):
    model = random_model(cls, **options)
    with torch.no_grad():
        expected = torch.stack([by_hand(model, FEATURIZER(smiles)) for smiles in SMILES])
        close(model(collate(SMILES)), expected, rtol=1e-9, atol=1e-9)
    assert (expected.std(0) > 1e-3).all()


@pytest.mark.parametrize("mask_distance", [None, 4])
def test_biases_of_graphormer(mask_distance):
    model, graph = random_model(Graphormer, mask_distance=mask_distance), FEATURIZER("c1ccc2[nH]ccc2c1.O")
    encoder = model.encoder
    (bias,) = encoder.biases(graph, PairBlocks.of(graph.graph, leading=1))
    distance, path = square(graph, "distance"), square(graph, "path")
    n, H = len(distance), SMALL["num_heads"]
    expected = torch.empty(1, H, n + 1, n + 1, dtype=torch.float64)
    expected[0] = encoder.virtual_bias[:, None, None]
    for i in range(n):
        for j in range(n):
            bonds = [bond for bond in path[i, j].tolist() if bond >= 0]
            along = [encoder.path_bias.weight[k] @ graph.bond_feats[bond].double() for k, bond in enumerate(bonds)]
            mean = sum(along) / len(along) if along else 0
            expected[0, :, i + 1, j + 1] = encoder.distance_bias.table[distance[i, j] + 1] + mean
            if mask_distance and not 0 <= distance[i, j] < mask_distance:
                expected[0, :, i + 1, j + 1] = MASKED
    close(bias, expected.detach(), rtol=1e-9, atol=1e-9)


def test_pairs_of_virtual_nodes_of_egt():
    model, graph = random_model(EGT, num_virtual_nodes=2), FEATURIZER("CO")
    (states,) = model.encoder.pair_states(graph, PairBlocks.of(graph.graph, leading=2))
    a, b = model.encoder.virtual_pairs
    for i, j, expected in [(0, 0, a), (1, 1, b), (0, 1, (a + b) / 2), (0, 3, a), (2, 1, b)]:
        close(states[0, i, j], expected)
    first_bond = model.encoder.bond_embedding(graph.bond_feats[0].double())
    close(states[0, 2, 3], model.encoder.distance_embedding.table[2] + first_bond)


every_variant = pytest.mark.parametrize(
    ("cls", "options"),
    [
        (Graphormer, {}),
        (EGT, {}),
        (EGT, EGTConfig.legacy_defaults),
        (MAT, {}),
        (MAT, MATConfig.legacy_defaults),
        (GRIT, {}),
    ],
    ids=["graphormer", "egt", "egt_legacy", "mat", "mat_legacy", "grit"],
)


@every_variant
def test_structure_matters(cls, options):
    """Two isomers with the same atoms, features and bonds of each kind."""
    model = random_model(cls, **{**options, "hidden_size": 32, "atom_size": 74})
    scores = model(collate(["CCCC(C)CCCC", "CCC(C)CCCCC"]))
    assert (scores[0] - scores[1]).abs().max() > 1e-6


@every_variant
def test_padding_neither_speaks_nor_learns(cls, options):
    """A long companion changes the blocks, but neither scores nor gradients of the others."""
    model = random_model(cls, **{**options, "atom_size": 74})
    results = []
    for companion in (["C"], ["C" * 24]):  # too small to be worth a block of its own
        model.zero_grad()
        scores = model(collate(["CCO", "c1ccccc1O", *companion]))[:2]
        scores.square().sum().backward()
        results.append([scores, *(p.grad for p in model.parameters())])
    for got, expected in zip(*results, strict=True):
        assert got.isfinite().all()
        close(got, expected, rtol=1e-9, atol=1e-11)


def test_distances_of_egt():
    """Fragments have a vector of their own; distances from `max_distance` on share one."""
    model = random_model(EGT, max_distance=3)
    table = model.encoder.distance_embedding.table
    graph = FEATURIZER("CCCCCC.C")
    (states,) = model.encoder.pair_states(graph, PairBlocks.of(graph.graph))
    for j, row in [(0, 1), (2, 3), (3, 4), (4, 4), (5, 4), (6, 0)]:
        close(states[0, 0, j], table[row])


@pytest.mark.parametrize(
    ("cls", "featurizer", "message"),
    [
        (MAT, CanonicalFeaturizer(), "pairs=True"),
        (Graphormer, CanonicalFeaturizer(pairs=True), "pairs=True, path_length=5"),
        (Graphormer, CanonicalFeaturizer(pairs=True, path_length=2), "path_length=5"),
        (GRIT, CanonicalFeaturizer(pairs=True, random_walks=3), "random_walks=21"),
        (EGT, CanonicalFeaturizer(), "pairs=True"),
    ],
)
def test_a_featurizer_without_the_pairs_is_named(cls, featurizer, message):
    with pytest.raises(ValueError, match=message):
        random_model(cls, atom_size=74)(collate(["CCO"], featurizer))


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (GraphormerConfig, {"hidden_size": 30}, "not a multiple of num_heads"),
        (EGTConfig, {"num_virtual_nodes": -1}, "num_virtual_nodes=-1"),
        (EGTConfig, {"ffn_multiplier": 0}, "ffn_multiplier=0"),
        (EGTConfig, {"head_shape": "cone"}, "'constant', 'halving'"),
        (MATConfig, {"distances": "2d"}, "'topological', 'conformer'"),
        (MATConfig, {"attention_share": 0.8, "distance_share": 0.3}, "together at most 1"),
        (GraphormerConfig, {"mask_distance": 0}, "mask_distance=0"),
        (GraphormerConfig, {"activation_dropout": 1.0}, "activation_dropout=1.0"),
        (GRITConfig, {"dropout": -0.1}, "probability"),
        (GRITConfig, {"norm": "group"}, "choose one of 'batch', 'layer'"),
        (GRITConfig, {"readout": "max"}, "choose one of 'mean', 'sum'"),
        (GRITConfig, {"head_shape": "wide"}, "choose one of 'constant', 'halving'"),
        (GRITConfig, {"clamp": 0.0}, "above 0, or None"),
        (GRITConfig, {"root_eps": -1.0}, "at least 0"),
    ],
)
def test_options_out_of_range(config, options, message):
    with pytest.raises(ValueError, match=message):
        config(**options)


@every_variant
def test_autocast_changes_little(cls, options):
    model, graph = random_model(cls, **{**options, "atom_size": 74}).float(), collate(SMILES)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(graph)
    scores.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    close(scores.float(), model(graph), rtol=0.1, atol=0.1)
