"""MAT against numbers that the authors' code computed."""

import numpy as np
import pytest
import torch
from support.authors_data import HERE, LayerFixture, ModelFixture
from support.graphs import graph_of

from featurizers import MoleculeGraph, PackedMolecules
from featurizers.mat import MATFeaturizer
from zoo.models.mat import MAT, MATConfig

close = torch.testing.assert_close


def model_state(weights, config):
    """Ours from theirs; their first feature is the flag of the dummy node."""
    state = {
        "encoder.atom_embedding.weight": weights["src_embed.lut.weight"][:, 1:],
        "encoder.dummy_node": weights["src_embed.lut.weight"][:, 0],
        "encoder.atom_embedding.bias": weights["src_embed.lut.bias"],
        "encoder.norm.weight": weights["encoder.norm.a_2"],
        "encoder.norm.bias": weights["encoder.norm.b_2"],
        "head.layers.0.weight": weights["generator.proj.weight"],
        "head.layers.0.bias": weights["generator.proj.bias"],
    }
    for number in range(config.num_layers):
        theirs = ours = f"encoder.layers.{number}"
        for place, norm in enumerate(("norm", "ffn_norm")):
            state[f"{ours}.{norm}.weight"] = weights[f"{theirs}.sublayer.{place}.norm.a_2"]
            state[f"{ours}.{norm}.bias"] = weights[f"{theirs}.sublayer.{place}.norm.b_2"]
        for part in ("weight", "bias"):
            linears = [weights[f"{theirs}.self_attn.linears.{place}.{part}"] for place in range(4)]
            state[f"{ours}.query_key_value.{part}"], state[f"{ours}.output.{part}"] = torch.cat(linears[:3]), linears[3]
            for place in range(config.dense_num_layers):
                name = f"feed_forward.linears.{place}.{part}"
                state[f"{ours}.{name.replace('linears', 'layers')}"] = weights[f"{theirs}.{name}"]
    return state


def model_with(weights, **options):
    config = MATConfig(num_tasks=2, num_layers=2, num_heads=4, distances="conformer", **options)
    model = MAT(config).double().eval()
    model.load_state_dict(model_state(weights, config))
    return model


@pytest.mark.parametrize(("kernel", "options"), [("exp", {}), ("softmax", {"dense_num_layers": 2})])
def test_the_model(kernel, options):
    """Features and adjacency are the featurizer's, distances those that the authors' code was given."""
    fixture = ModelFixture("mat", f"{kernel}.npz")
    featurizer = MATFeaturizer(pairs=True)
    molecules = featurizer.collate(
        PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles)) for smiles in fixture.smiles])
    )
    distances = np.load(HERE / "fixtures" / "mat" / f"{kernel}.npz", allow_pickle=False)["distance"]
    molecules.pairs.edata["distance_3d"] = torch.from_numpy(distances)
    model = model_with(fixture.weights, hidden_size=16, distance_kernel=kernel, **options)
    close(model(molecules), fixture.scores["eval"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kernel", ["exp", "softmax"])
def test_the_model_on_given_arrays(kernel):
    fixture = LayerFixture(f"mat_{kernel}")
    sizes = fixture.graph["num_atoms"]
    real = fixture.inputs["mask"][:, 1:]
    graph = graph_of(sizes, fixture.graph["bond_source"], fixture.graph["bond_destination"])
    graph.ndata["feat"] = fixture.inputs["x"][:, 1:, 1:][real]
    pairs = graph_of(sizes, fixture.graph["pair_first"], fixture.graph["pair_second"])
    both = real[:, :, None] & real[:, None, :]
    adjacency = fixture.inputs["adjacency"][:, 1:, 1:][both]
    itself = fixture.graph["pair_first"] == fixture.graph["pair_second"]
    pairs.edata["distance"] = torch.where(itself, 0, torch.where(adjacency == 1, 1, 2))
    pairs.edata["distance_3d"] = fixture.inputs["distance"][:, 1:, 1:][both]
    model = model_with(fixture.weights, hidden_size=32, distance_kernel=kernel)
    close(model(MoleculeGraph(graph, pairs)), fixture.outputs["prediction"], rtol=1e-9, atol=1e-9)
