"""MAT: distances in bonds and in space, the dummy node, initial weights."""

import pytest
import torch

from featurizers import MATFeaturizer, PackedMolecules
from zoo.layers.pair_blocks import PairBlocks
from zoo.models.mat import FAR, MAT, MATConfig

IN_BONDS, IN_SPACE = MATFeaturizer(pairs=True), MATFeaturizer(pairs=True, conformers=True)
SMALL = {"hidden_size": 16, "num_layers": 2, "num_heads": 2}


def batch(featurizer, smiles):
    return featurizer.collate(PackedMolecules.pack([featurizer.read(s) for s in smiles]))


def test_only_a_conformer_tells_e_from_z():
    """The features of atoms are the same, so that distances alone can tell."""
    pair = ["F/C=C/Cl", r"F/C=C\Cl"]
    torch.manual_seed(0)
    flat = MAT(MATConfig(**SMALL)).eval()(batch(IN_BONDS, pair))
    torch.manual_seed(0)
    spatial = MAT(MATConfig(distances="conformer", **SMALL)).eval()(batch(IN_SPACE, pair))
    assert torch.equal(flat[0], flat[1])
    assert (spatial[0] - spatial[1]).abs() > 1e-5


@pytest.mark.parametrize("distances", ["topological", "conformer"])
def test_weights_of_distances_and_bonds(distances):
    config = MATConfig(attention_share=0.0, distance_share=0.5, distances=distances, **SMALL)
    model, graph = MAT(config), batch(IN_SPACE, ["CO.C"])
    (weights,) = model.encoder.fixed_weights(graph, PairBlocks.of(graph.graph, leading=1), torch.float64)
    length = 1.0 if distances == "topological" else graph.pairs.edata["distance_3d"][1].item()
    near = torch.tensor(-length, dtype=torch.float64).exp() / 2
    expected = torch.zeros(1, 4, 4, dtype=torch.float64)  # the dummy node and other fragments are FAR
    expected[0, 1:3, 1:3] = near + 0.25
    expected[0, 1, 1] = expected[0, 2, 2] = 0.75
    expected[0, 3, 3] = 1.0
    torch.testing.assert_close(weights, expected, rtol=1e-5, atol=1e-6)
    assert FAR > 1e5


def test_the_distances_that_a_batch_lacks_are_named():
    with pytest.raises(ValueError, match="pairs=True, conformers=True"):
        MAT(MATConfig(distances="conformer"))(batch(IN_BONDS, ["CO"]))


def test_initial_weights_are_drawn_by_glorots_rule():
    torch.manual_seed(0)
    D, A = 64, 25
    model = MAT(MATConfig(num_tasks=30))
    layer = model.encoder.layers[0]
    both = torch.cat([model.encoder.dummy_node[:, None], model.encoder.atom_embedding.weight], dim=1)
    matrices = [both, model.head.layers[0].weight, *layer.query_key_value.weight.chunk(3), layer.output.weight]
    for weight, ends in zip(matrices, [D + A + 1, D + 30, *[2 * D] * 4], strict=True):
        bound = (6 / ends) ** 0.5
        assert 0.95 * bound < weight.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
