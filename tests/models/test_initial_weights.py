"""Initial weights of models whose authors publish how to draw them."""

import math

import pytest
import torch
from torch import nn

from zoo.models.graphormer import Graphormer, GraphormerConfig
from zoo.models.grit import GRIT, GRITConfig


def deviation(parameter):
    """Root of the mean square, which includes a mean that should be 0."""
    return parameter.detach().double().square().mean().sqrt().item()


@pytest.mark.parametrize("num_layers", [1, 9])
def test_graphormer(num_layers):
    """Microsoft's v1: N(0, 0.02^2) for embeddings, N(0, 0.02^2 / layers) for linear layers, no biases."""
    torch.manual_seed(0)
    model = Graphormer(GraphormerConfig(hidden_size=256, num_layers=num_layers, num_heads=32, descriptor_size=8))
    encoder = model.encoder
    embeddings = [
        encoder.atom_embedding.weight,
        encoder.degree_embedding.table,
        encoder.distance_bias.table,
        encoder.path_bias.weight,
        encoder.virtual_node,
        encoder.virtual_bias,
    ]
    for table in embeddings:
        assert deviation(table) == pytest.approx(0.02, rel=4 / math.sqrt(2 * table.numel()))
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert len(linears) == 4 * num_layers + 1
    for linear in linears:
        expected = 0.02 / math.sqrt(num_layers)
        assert deviation(linear.weight) == pytest.approx(expected, rel=4 / math.sqrt(2 * linear.weight.numel()))
        assert (linear.bias == 0).all()
    assert (encoder.atom_embedding.bias == 0).all()
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    assert all((norm.weight == 1).all() and (norm.bias == 0).all() for norm in norms)


def test_grit():
    """Xavier's for the matrices, with the fans that torch sees in the authors' shapes."""
    torch.manual_seed(0)
    D, H, K = 256, 32, 21
    model = GRIT(GRITConfig(hidden_size=D, num_layers=2, num_heads=H, random_walks=K))
    layer = model.encoder.layers[0]
    theirs = {
        "Aw": torch.empty(D // H, H, 1),
        "VeRow": torch.empty(D // H, H, D // H),
        "deg_coef": torch.empty(1, D, 2),
        "Q": torch.empty(D, D),
        "E": torch.empty(2 * D, D),
    }
    expected = {name: deviation(nn.init.xavier_normal_(shape)) for name, shape in theirs.items()}
    ours = {
        "Aw": [layer.to_score],
        "VeRow": [layer.to_value],
        "deg_coef": [layer.without_degree, layer.with_degree],
        "Q": layer.query_key_value.weight.chunk(3),
        "E": [layer.scale_and_shift.weight],
    }
    for name, parts in ours.items():
        for part in parts:
            assert deviation(part) == pytest.approx(expected[name], rel=0.25)
    bound = math.sqrt(6 / (D + K))
    for embedding in (model.encoder.return_embedding, model.encoder.walk_embedding):
        assert 0.98 * bound < embedding.weight.abs().max() <= bound
    assert layer.query_bias.abs().max() <= D**-0.5


def test_what_grit_leaves_out():
    """Biases of keys, values and random walks; the update of pairs that nothing reads."""
    model = GRIT(GRITConfig(num_layers=3))
    names = set(model.state_dict())
    assert not {name for name in names if name.endswith(("query_key_value.bias", "walk_embedding.bias"))}
    assert {name.split(".")[2] for name in names if "pair_output" in name} == {"0", "1"}
