"""EGT against numbers that the authors' code computed."""

import pytest
import torch
from support.authors_data import LayerFixture, ModelFixture

from featurizers import CanonicalFeaturizer
from zoo.layers.egt_layer import EGTLayer
from zoo.models.egt import EGT, EGTConfig

close = torch.testing.assert_close
NORMS = {"mha_ln_h": "norm", "mha_ln_e": "pair_norm", "ffn_ln_h": "ffn_norm", "ffn_ln_e": "pair_ffn_norm"}
LINEAR = {
    "lin_O_e": "pair_output",
    "lin_W_h_1": "feed_forward.layers.0",
    "lin_W_h_2": "feed_forward.layers.1",
    "lin_W_e_1": "pair_feed_forward.layers.0",
    "lin_W_e_2": "pair_feed_forward.layers.1",
}


def layer_state(weights, prefix, num_heads):
    """Ours from theirs, which counts the columns of a head first and the heads last."""
    get = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    D = len(get["lin_O_h.bias"])
    heads_first = torch.arange(D).view(D // num_heads, num_heads).T.flatten()
    state = {}
    for part in ("weight", "bias"):
        state[f"query_key_value.{part}"] = torch.cat([rows[heads_first] for rows in get[f"lin_QKV.{part}"].chunk(3)])
        state[f"score_and_gate.{part}"] = torch.cat([get[f"lin_E.{part}"], get[f"lin_G.{part}"]])
        both = (NORMS | LINEAR).items()  # the last layer of both leaves the pairs alone
        state |= {f"{ours}.{part}": get[f"{theirs}.{part}"] for theirs, ours in both if f"{theirs}.{part}" in get}
    return state | {"output.weight": get["lin_O_h.weight"][:, heads_first], "output.bias": get["lin_O_h.bias"]}


def model_state(weights, config):
    """Ours from theirs."""
    far = weights["dist_embed.weight"][-1:]  # also of atoms in other fragments, which ours tells apart
    state = {
        "encoder.atom_embedding.weight": weights["nodef_embed.weight"][1:].T,
        "encoder.atom_embedding.bias": torch.zeros(config.hidden_size),
        "encoder.bond_embedding.weight": weights["featm_embed.weight"][1:].T,
        "encoder.distance_embedding.table": torch.cat([far, weights["dist_embed.weight"]]),
    }
    if config.num_virtual_nodes:
        state["encoder.virtual_nodes"] = weights["vn_layer.vn_node_embeddings"]
        state["encoder.virtual_pairs"] = weights["vn_layer.vn_edge_embeddings"]
    for part in ("weight", "bias"):
        state[f"encoder.norm.{part}"] = weights[f"final_ln_h.{part}"]
        state |= {f"head.layers.{n}.{part}": weights[f"mlp_layers.{n}.{part}"] for n in range(config.ffn_num_layers)}
    for number in range(config.num_layers):
        layer = layer_state(weights, f"EGT_layers.{number}.", config.num_heads)
        state |= {f"encoder.layers.{number}.{name}": value for name, value in layer.items()}
    return state


PCQM4M = {
    "num_virtual_nodes": 3,
    "scale_degree": True,
    "ffn_multiplier": 1.0,
    "pair_ffn_multiplier": 1.0,
    "head_shape": "constant",
}


@pytest.mark.parametrize(("name", "options"), [("zinc", {}), ("pcqm4m", PCQM4M)])
def test_the_model(name, options):
    """The defaults are the authors' for ZINC; "pcqm4m" has what their larger models have."""
    fixture = ModelFixture("egt", f"{name}.npz")
    sizes = {"hidden_size": 32, "pair_hidden_size": 8, "num_heads": 4, "num_layers": 3}
    config = EGTConfig(num_tasks=2, atom_size=43, bond_size=4, **sizes, **options)
    model = EGT(config).double().eval()
    model.load_state_dict(model_state(fixture.weights, config))
    molecules = fixture.categories(CanonicalFeaturizer(pairs=True))
    close(model(molecules), fixture.scores["eval"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("egt_zinc_layer", {"scale_degree": True}),
        ("egt_no_degree_scaler", {"ffn_multiplier": 1.0, "pair_ffn_multiplier": 1.0}),
    ],
)
def test_the_layer(name, options):
    fixture = LayerFixture(name)
    layer = EGTLayer(32, 16, 4, **options).double().eval()
    layer.load_state_dict(layer_state(fixture.weights, "", 4))
    mask = fixture.inputs["mask"]
    x, pairs = layer(fixture.inputs["h"], fixture.inputs["e"], mask)
    close(x[mask], fixture.outputs["h"][mask], rtol=1e-9, atol=1e-9)
    real = mask[:, :, None] & mask[:, None, :]
    close(pairs[real], fixture.outputs["e"][real], rtol=1e-9, atol=1e-9)
