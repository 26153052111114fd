"""GRIT against numbers that the authors' code computed."""

import pytest
import torch
from support.authors_data import LayerFixture, ModelFixture
from support.graphs import graph_of

from featurizers import CanonicalFeaturizer
from zoo.layers.grit_layer import GRITLayer
from zoo.layers.pair_blocks import PairBlocks
from zoo.models.grit import GRIT, GRITConfig

close = torch.testing.assert_close


def layer_state(weights, prefix="", num_heads=8):
    """Ours from theirs, which keeps scale and shift of a pair side by side in each head."""
    get = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    state = {
        "query_key_value.weight": torch.cat([get[f"attention.{letter}.weight"] for letter in "QKV"]),
        "query_bias": get["attention.Q.bias"],
        "to_score": get["attention.Aw"].squeeze(2).T,
        "to_value": get["attention.VeRow"].transpose(0, 1),
        "without_degree": get["deg_coef"][0, :, 0],
        "with_degree": get["deg_coef"][0, :, 1],
    }
    for part in ("weight", "bias"):
        of_heads = get[f"attention.E.{part}"].unflatten(0, (num_heads, 2, -1)).transpose(0, 1)
        state[f"scale_and_shift.{part}"] = of_heads.flatten(0, 2)
        state[f"output.{part}"] = get[f"O_h.{part}"]
        state[f"pair_output.{part}"] = get[f"O_e.{part}"]
        state[f"feed_forward.layers.0.{part}"] = get[f"FFN_h_layer1.{part}"]
        state[f"feed_forward.layers.1.{part}"] = get[f"FFN_h_layer2.{part}"]
    for name, value in get.items():
        for theirs, ours in (("norm1_h", "norm"), ("norm2_h", "ffn_norm"), ("norm1_e", "pair_norm")):
            if theirs in name:
                state[f"{ours}.{name.rpartition('.')[2]}"] = value
    return state


def model_state(weights, config):
    """Ours from theirs; the last layer of ours leaves the pairs alone."""
    state = {
        "encoder.atom_embedding.weight": weights["encoder.node_encoder.encoder.weight"].T,
        "encoder.atom_embedding.bias": torch.zeros(config.hidden_size),
        "encoder.bond_embedding.weight": weights["encoder.edge_encoder.encoder.weight"].T,
        "encoder.return_embedding.weight": weights["rrwp_abs_encoder.fc.weight"],
        "encoder.walk_embedding.weight": weights["rrwp_rel_encoder.fc.weight"],
    }
    for name, value in weights.items():
        if name.startswith("post_mp.FC_layers."):
            state[name.replace("post_mp.FC_layers.", "head.layers.")] = value
    last = config.num_layers - 1
    for number in range(config.num_layers):
        layer = layer_state(weights, f"layers.{number}.", config.num_heads)
        kept = {name: value for name, value in layer.items() if number < last or "pair" not in name}
        state |= {f"encoder.layers.{number}.{name}": value for name, value in kept.items()}
    return state


@pytest.mark.parametrize("training", [False, True])
def test_the_model_as_published_for_zinc(training):
    """The options are the entry `grit_zinc`'s; attention dropout is 0 so that training can be compared."""
    fixture = ModelFixture("grit", "zinc.npz")
    config = GRITConfig(num_tasks=2, atom_size=43, bond_size=4, num_layers=10, attention_dropout=0.0)
    model = GRIT(config).double().train(training)
    model.load_state_dict(model_state(fixture.weights, config))
    molecules = fixture.categories(CanonicalFeaturizer(pairs=True, random_walks=21))
    close(model(molecules), fixture.scores["train" if training else "eval"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "options"),
    [("grit_batchnorm_clamp5", {}), ("grit_layernorm_noclamp", {"norm": "layer", "clamp": None})],
)
@pytest.mark.parametrize("training", [False, True])
def test_the_layer(name, options, training):
    fixture = LayerFixture(name)
    layer = GRITLayer(32, 4, **options).double()
    layer.load_state_dict(layer_state(fixture.weights, num_heads=4))
    sizes = fixture.graph["num_atoms"].tolist()
    blocks = PairBlocks.of(graph_of(sizes))
    ends = fixture.graph["pair_first"], fixture.graph["pair_second"]
    log_degrees = fixture.inputs["degree"].log1p().unsqueeze(1)
    x, pairs = layer.train(training)(fixture.inputs["x"], fixture.inputs["pair_feats"], ends, log_degrees, blocks)
    mode = "train" if training else "eval"
    close(x, fixture.outputs[f"{mode}_x"], rtol=1e-9, atol=1e-9)
    close(pairs, fixture.outputs[f"{mode}_e"], rtol=1e-9, atol=1e-9)


def test_a_batch_of_one_atom_trains():
    """Theirs refuses it in training: one row has no variance."""
    model = GRIT(GRITConfig(num_layers=2, attention_dropout=0.0))
    methane = CanonicalFeaturizer(pairs=True, random_walks=21)("C")
    scores = model.train()(methane)
    scores.sum().backward()
    close(scores, model.eval()(methane))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.BatchNorm1d(64)(torch.zeros(1, 64))
