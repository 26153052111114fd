"""Graphormer against numbers that the authors' code (v1) computed."""

import pytest
import torch
from support.authors_data import LayerFixture, ModelFixture

from featurizers import CanonicalFeaturizer
from zoo.layers.graphormer_layer import GraphormerLayer
from zoo.models.graphormer import Graphormer, GraphormerConfig

FEATURIZER = CanonicalFeaturizer(pairs=True, path_length=5)
FRAGMENTS = 511  # the row of their table for a distance of 510, which stands for "not connected"
close = torch.testing.assert_close


def layer_state(weights, prefix=""):
    """Ours from theirs."""
    get = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    state = {}
    for part in ("weight", "bias"):
        stacked = [get[f"self_attention.linear_{letter}.{part}"] for letter in "qkv"]
        state[f"attention.query_key_value.{part}"] = torch.cat(stacked)
        state[f"attention.output.{part}"] = get[f"self_attention.output_layer.{part}"]
        state[f"attention_norm.{part}"] = get[f"self_attention_norm.{part}"]
        state[f"ffn_norm.{part}"] = get[f"ffn_norm.{part}"]
        state[f"feed_forward.layers.0.{part}"] = get[f"ffn.layer1.{part}"]
        state[f"feed_forward.layers.1.{part}"] = get[f"ffn.layer2.{part}"]
    return state


def model_state(weights, config):
    """Ours from theirs; their indices of categories begin at 1 or 2, and padding takes one more."""
    H, K = config.num_heads, config.path_length
    degrees = weights["in_degree_encoder.weight"] + weights["out_degree_encoder.weight"]
    distances = weights["spatial_pos_encoder.weight"]
    bonds, places = weights["edge_encoder.weight"][3:7], weights["edge_dis_encoder.weight"].view(-1, H, H)[:K]
    state = {
        "encoder.atom_embedding.weight": weights["atom_encoder.weight"][2:45].T,
        "encoder.atom_embedding.bias": torch.zeros(config.hidden_size),
        "encoder.degree_embedding.table": degrees[1 : config.max_degree + 2],
        "encoder.virtual_node": weights["graph_token.weight"][0],
        "encoder.virtual_bias": weights["graph_token_virtual_distance.weight"][0],
        "encoder.distance_bias.table": torch.cat(
            [distances[FRAGMENTS : FRAGMENTS + 1], distances[1 : config.max_distance + 2]]
        ),
        "encoder.path_bias.weight": torch.einsum("fg,kgh->khf", bonds, places),
    }
    for part in ("weight", "bias"):
        state[f"encoder.norm.{part}"] = weights[f"final_ln.{part}"]
        state[f"head.layers.0.{part}"] = weights[f"downstream_out_proj.{part}"]
    for number in range(config.num_layers):
        layer = layer_state(weights, f"layers.{number}.")
        state |= {f"encoder.layers.{number}.{name}": value for name, value in layer.items()}
    return state


@pytest.mark.parametrize(("case", "mask_distance"), [("masked", 20), ("unmasked", None)])
def test_the_model(case, mask_distance):
    fixture = ModelFixture("graphormer", "v1.npz")
    sizes = {"hidden_size": 16, "ffn_size": 24, "num_layers": 3, "num_heads": 4, "num_tasks": 2}
    sizes |= {"atom_size": 43, "bond_size": 4, "max_distance": 30}
    config = GraphormerConfig(**sizes, mask_distance=mask_distance)
    weights = fixture.weights
    weights["edge_encoder.weight"][0] = 0  # theirs for places past the end of a path, where ours has nothing
    model = Graphormer(config).double().eval()
    model.load_state_dict(model_state(weights, config))
    close(model(fixture.categories(FEATURIZER)), fixture.scores[case], rtol=1e-9, atol=1e-9)


def test_the_mask_matters_in_the_fixture():
    scores = ModelFixture("graphormer", "v1.npz").scores
    assert ((scores["masked"] - scores["unmasked"]).abs().amax(1) > 1e-4).tolist() == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_the_layer():
    fixture = LayerFixture("graphormer_v1_layer")
    layer = GraphormerLayer(32, 48, 4).double().eval()
    layer.load_state_dict(layer_state(fixture.weights))
    got = layer(fixture.inputs["x"], fixture.inputs["attention_bias"])
    close(got, fixture.outputs["x"], rtol=1e-9, atol=1e-9)
