"""GPS against numbers that the authors' code computed."""

import numpy as np
import pytest
import torch
from support.authors_data import HERE, LayerFixture, ModelFixture
from support.graphs import graph_of

from featurizers import StructuralFeaturizer
from zoo.layers.pair_blocks import PairBlocks
from zoo.models.gps import GPS, GPSConfig, GPSLayer

close = torch.testing.assert_close
NAMES = {
    "local_model.nn.0.": "local.network.layers.0.",
    "local_model.nn.2.": "local.network.layers.1.",
    "self_attn.in_proj_": "attention.query_key_value.",
    "self_attn.out_proj.": "attention.output.",
    "norm1_local.": "local_norm.",
    "norm1_attn.": "attention_norm.",
    "ff_linear1.": "network.layers.0.",
    "ff_linear2.": "network.layers.1.",
    "norm2.": "norm.",
}
WHOLE = {
    "rwse.raw_norm.": "encoder.atom_input.walk_norm.",
    "rwse.pe_encoder.": "encoder.atom_input.walk.",
    "lap.linear_A.": "encoder.atom_input.laplacian.network.layers.0.",
    "lap.pe_encoder.1.": "encoder.atom_input.laplacian.network.layers.1.",
    "node_encoder.": "encoder.atom_input.feats.",
    "edge_encoder.": "encoder.bond_input.",
    "post_mp.FC_layers.": "head.network.layers.",
    "layers.": "encoder.layers.",
}


def ours_of(weights, names):
    """Our names for theirs."""
    state = {}
    for name, value in weights.items():
        for theirs, ours in names.items():
            if name.startswith(theirs):
                name = name.replace(theirs, ours, 1)
                break
        for theirs, ours in NAMES.items():
            name = name.replace(theirs, ours)
        state[name] = value
    return {name: value for name, value in state.items() if not name.endswith("local_model.eps")}


def model_state(weights, hidden_size):
    """Ours from theirs, whose embeddings of atoms and bonds have no bias."""
    state = ours_of(weights, WHOLE)
    kept = state["encoder.atom_input.feats.weight"].shape[0]
    state["encoder.atom_input.feats.bias"] = torch.zeros(kept)
    return state | {"encoder.bond_input.bias": torch.zeros(hidden_size)}


@pytest.mark.parametrize(
    ("name", "options", "training"),
    [
        ("zinc", {}, False),
        ("zinc", {}, True),
        ("layer", {"norm": "layer"}, False),
        ("layer", {"norm": "layer"}, True),
        ("laplacian", {"laplacian_size": 3}, False),
    ],
)
def test_the_model(name, options, training):
    """The defaults are the authors' for ZINC; attention dropout is 0 so that training can be compared."""
    fixture = ModelFixture("gps", f"{name}.npz")
    sizes = {"hidden_size": 32, "atom_size": 43, "bond_size": 4, "walk_size": 20, "num_heads": 2, "num_layers": 3}
    config = GPSConfig(num_tasks=2, attention_dropout=0.0, **sizes, **options)
    model = GPS(config).double()
    model.load_state_dict(model_state(fixture.weights, config.hidden_size))
    molecules = fixture.categories(StructuralFeaturizer(walk_steps=20))
    if config.laplacian_size:  # signs and rotations of these vectors differ between machines
        vectors = np.load(HERE / "fixtures" / "gps" / f"{name}.npz", allow_pickle=False)["laplacian"]
        molecules.graph.ndata["laplacian"] = torch.from_numpy(vectors)
    scores = model.train(training)(molecules)
    close(
        scores, fixture.scores["train" if training else "eval"], rtol=1e-6 if config.laplacian_size else 1e-9, atol=1e-8
    )


@pytest.mark.parametrize(("name", "norm"), [("gps_batchnorm", "batch"), ("gps_layernorm", "layer")])
@pytest.mark.parametrize("training", [False, True])
def test_the_layer(name, norm, training):
    fixture = LayerFixture(name)
    layer = GPSLayer(GPSConfig(hidden_size=32, num_heads=4, attention_dropout=0.0, norm=norm)).double()
    layer.load_state_dict(ours_of(fixture.weights, {}))
    assert fixture.weights["local_model.eps"].item() == 0
    sizes = fixture.graph["num_atoms"]
    graph = graph_of(sizes, fixture.graph["bond_source"], fixture.graph["bond_destination"])
    x = layer.train(training)(graph, PairBlocks.of(graph), fixture.inputs["x"], fixture.inputs["bond_feats"])
    close(x, fixture.outputs["train_x" if training else "eval_x"], rtol=1e-9, atol=1e-9)
