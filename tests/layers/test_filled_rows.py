import pytest
import torch
import torch.nn.functional as F

from featurizers import GroverFeaturizer, PackedMolecules
from zoo.layers import filled_rows, surroundings
from zoo.layers.activations import Activation
from zoo.layers.filled_rows import fill_rows
from zoo.models.grover import Grover, GroverConfig


def batch():
    featurizer = GroverFeaturizer()
    texts = ("CC(C)(C)O", "C", "c1ccsc1")
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(text)) for text in texts]))


def test_rows_are_filled_up_under_autocast_alone():
    x = torch.ones(100, 3)
    assert fill_rows(x) is x
    with torch.autocast("cpu", torch.bfloat16):
        filled = fill_rows(x)
        assert fill_rows(filled) is filled
        assert fill_rows(torch.ones(65, dtype=torch.int64)).shape == (128,)
    assert torch.equal(filled, F.pad(x, (0, 0, 0, 28)))


@pytest.mark.parametrize("released_padding", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_filled_rows_change_neither_scores_nor_gradients(released_padding, training, monkeypatch):
    torch.manual_seed(0)
    options = {"num_blocks": 2, "embedding_output": "both", "released_padding": released_padding}
    model = Grover(GroverConfig(hidden_size=16, **options)).double().train(training)
    results = []
    for fills in (False, True):
        for module in (filled_rows, surroundings):
            monkeypatch.setattr(module, "compiles_products", lambda _, fills=fills: fills)
        found = [model(batch()), model.encoder(batch(), bonds=True).bond_from_atom]
        loss = sum(part.square().sum() for part in found)
        results.append([*found, *torch.autograd.grad(loss, [*model.parameters()], allow_unused=True)])
    for plain, filled in zip(*results, strict=True):
        assert (plain is None) == (filled is None)
        if plain is not None:
            torch.testing.assert_close(filled, plain, rtol=1e-10, atol=1e-11)


def test_one_slope_on_a_cpu_is_prelu_with_both_derivatives():
    torch.manual_seed(0)
    layer = Activation("prelu").double()
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    ours, torchs = layer(x), F.prelu(x, layer.weight)
    assert torch.equal(ours, torchs)
    leaves = (x, layer.weight)
    for got, expected in zip(*(torch.autograd.grad(y.pow(3).sum(), leaves) for y in (ours, torchs)), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-14)
    assert torch.autograd.gradgradcheck(lambda x, _: layer(x), leaves)
