"""GT against numbers that the authors' code computed."""

import numpy as np
import pytest
import torch
from support.authors_data import HERE, ModelFixture

from featurizers import StructuralFeaturizer
from zoo.models.gt import GT, GTConfig

NAMES = {"O_{}": "output", "FFN_{}_layer1": "network.layers.0", "FFN_{}_layer2": "network.layers.1"}
NORMS = {"batch_norm1_{}": "first_norm", "batch_norm2_{}": "second_norm"}


def model_state(weights, config):
    """Ours from theirs, whose embeddings of atoms and bonds have no bias; the last layer of ours leaves bonds alone."""
    state = {
        "encoder.atom_input.feats.weight": weights["embedding_h.weight"].T,
        "encoder.atom_input.feats.bias": weights["embedding_lap_pos_enc.bias"],
        "encoder.atom_input.encodings.laplacian.weight": weights["embedding_lap_pos_enc.weight"],
        "encoder.bond_input.weight": weights["embedding_e.weight"].T,
        "encoder.bond_input.bias": torch.zeros(config.hidden_size),
    }
    for name, value in weights.items():
        if name.startswith("MLP_layer.FC_layers."):
            state[name.replace("MLP_layer.FC_layers.", "head.network.layers.")] = value
    for number in range(config.num_layers):
        theirs, ours = f"layers.{number}", f"encoder.layers.{number}"
        attention = [weights[f"{theirs}.attention.{part}.weight"] for part in ("Q", "K", "V")]
        state[f"{ours}.query_key_value.weight"] = torch.cat(attention)
        state[f"{ours}.bond.weight"] = weights[f"{theirs}.attention.proj_e.weight"]
        updates = {"h": "atom_update"} | ({"e": "bond_update"} if number < config.num_layers - 1 else {})
        for letter, update in updates.items():
            for their_name, our_name in (NAMES | NORMS).items():
                prefix = f"{theirs}.{their_name.format(letter)}."
                for name, value in weights.items():
                    if name.startswith(prefix):
                        state[f"{ours}.{update}.{our_name}.{name.removeprefix(prefix)}"] = value
    return state


@pytest.mark.parametrize("training", [False, True])
def test_the_model(training):
    fixture = ModelFixture("gt", "zinc.npz")
    sizes = {"hidden_size": 32, "num_heads": 4, "num_layers": 3, "laplacian_size": 4, "atom_size": 43, "bond_size": 4}
    config = GTConfig(sign_flips=False, clip_scores=True, ffn_num_layers=3, head_shape="halving", **sizes)
    model = GT(config).double().train(training)
    model.load_state_dict(model_state(fixture.weights, config))
    molecules = fixture.categories(StructuralFeaturizer(walk_steps=0, num_vectors=4))
    vectors = np.load(HERE / "fixtures" / "gt" / "zinc.npz", allow_pickle=False)["laplacian"]
    molecules.graph.ndata["laplacian"] = torch.from_numpy(vectors)  # whose signs differ between machines
    expected = fixture.scores["train" if training else "eval"]
    torch.testing.assert_close(model(molecules), expected, rtol=1e-9, atol=1e-9)
