"""CoMPT without padding, against the published formulas written out densely for one molecule at a time."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from featurizers import CanonicalFeaturizer, ComptFeaturizer, PackedMolecules
from zoo.layers.message_passing import use_torch
from zoo.models.compt import Compt, ComptConfig
from zoo.models.compt_published import RECIPES, WARMUP_FACTORS

SMILES = ["C", "CC(=O)Oc1ccccc1C(=O)O", "F/C=C/Cl", "[Na+].CC([O-])=O", "c1ccc2[nH]ccc2c1", "C" * 30, "CCO.N.O"]
FEATURIZER = ComptFeaturizer()


def collate(molecules, featurizer=FEATURIZER):
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(m)) for m in molecules]))


def random_model(seed=0, **options):
    torch.manual_seed(seed)
    config = ComptConfig(**{"hidden_size": 16, "num_layers": 2, "num_tasks": 3, "max_positions": 20, **options})
    model = Compt(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for layer in model.encoder.layers:
            layer.attention.decay.copy_(0.05 + 0.3 * torch.rand(()))
    return model


def dense_scores(model, graph):
    """The score of one molecule (T,) by the published formulas, with a key for every pair of atoms."""
    config, encoder, head = model.config, model.encoder, model.head
    n, H, scale = graph.graph.num_nodes(), config.num_heads, config.hidden_size**0.5
    feats = torch.zeros(n, n, config.bond_size, dtype=torch.float64)
    feats[graph.graph.edges()] = graph.bond_feats.double()
    distance = graph.pairs.edata["distance"].view(n, n).double()
    distance = torch.where(distance < 0, 1e8, distance)
    edges = scale * (feats @ encoder.bond_embedding.weight.T + torch.randn(config.hidden_size))  # any bias: it cancels
    x = scale * encoder.atom_embedding(graph.atom_feats.double())
    if config.positions:
        x = x + encoder.positions.weight[torch.arange(n).clamp(max=config.max_positions - 1)]
    for layer in encoder.layers:
        attention = layer.attention
        x = layer.norm(x)
        q, v = attention.query(x).view(n, H, -1), attention.value(x).view(n, H, -1)
        k = (attention.key(edges) + torch.randn(config.hidden_size)).view(n, n, H, -1)
        p = (torch.einsum("mhd,mnhd->hmn", q, k) / k.shape[-1] ** 0.5).softmax(-1)
        kernel = -attention.decay * distance
        kernel = kernel.exp() if config.distance_kernel == "exp" else kernel.softmax(-1)
        message = (2 * p - p * torch.eye(n)) * kernel
        attended = F.mish(attention.output(torch.einsum("hmn,nhd->mhd", message, v).reshape(n, -1)))
        y = z = x + layer.norm(attended)
        for linear in layer.feed_forward:
            z = F.mish(linear(z))
        x = x + y + layer.norm(z)
    x = encoder.norm(x)
    start = F.mish(x + head.readout.bias).max(0).values
    outputs, _ = head.readout.gru(x, start.expand(2, 1, -1).squeeze(1).contiguous())
    pooled = F.mish(head.readout.merge(outputs)).mean(0)
    for linear, norm in zip(head.hidden, head.norms, strict=True):
        pooled = norm(F.mish(linear(pooled)))
    return head.output(pooled)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"distance_kernel": "softmax", "norm": "scale", "num_heads": 2, "head_num_layers": 3},
        {"ffn_num_layers": 2, "num_heads": 8, "positions": False},
    ],
    ids=["exp", "softmax", "no_positions"],
)
def test_a_batch_scores_as_its_molecules_do_densely(options):
    model = random_model(**options)
    scores = model(collate(SMILES))
    expected = torch.stack([dense_scores(model, FEATURIZER(smiles)) for smiles in SMILES])
    torch.testing.assert_close(scores, expected, rtol=1e-9, atol=1e-10)


def test_gradients_are_the_dense_ones():
    model = random_model(distance_kernel="softmax")
    got = torch.autograd.grad(model(collate(SMILES)).square().sum(), tuple(model.parameters()))
    dense = torch.stack([dense_scores(model, FEATURIZER(smiles)) for smiles in SMILES]).square().sum()
    for a, b in zip(got, torch.autograd.grad(dense, tuple(model.parameters())), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9 * b.norm().item() + 1e-12)


def test_large_scores_do_not_overflow():
    model = random_model().float()
    with torch.no_grad():
        for layer in model.encoder.layers:
            layer.attention.query.weight.mul_(1e3)
    scores = model(collate(SMILES))
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(scores, model.double()(collate(SMILES)).float(), rtol=1e-2, atol=1e-2)


def test_fragments_stay_apart_whatever_the_decay():
    model = random_model()
    with torch.no_grad():
        model.encoder.layers[0].attention.decay.fill_(-0.2)
    loss = model(collate(["CCO.N", "CC.CC"])).sum()
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_torch_path_equals_dgl_path():
    model, graph = random_model(), collate(SMILES)
    with use_torch():
        expected = model(graph)
    torch.testing.assert_close(model(graph), expected)


def test_autocast_changes_little():
    model, graph = random_model().float(), collate(SMILES)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(graph)
        scores.float().sum().backward()
    torch.testing.assert_close(scores.float(), model(graph), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("smiles", ["C", "CC(=O)Oc1ccccc1C(=O)O"])
def test_padding_to_the_size_of_the_molecule_is_no_padding(smiles):
    graph = FEATURIZER(smiles)
    padded = random_model(released_padding=True, padded_length=graph.graph.num_nodes())
    longer = random_model(released_padding=True, padded_length=40)
    torch.testing.assert_close(random_model()(graph), padded(graph))
    assert not torch.allclose(longer(graph), padded(graph))
    with pytest.raises(ValueError, match="padded_length=40"):
        longer(collate(["C" * 41]))


@settings(max_examples=10, deadline=None)
@given(st.randoms())
def test_canonical_order_makes_scores_a_matter_of_the_molecule(random):
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)
    shuffled = Chem.RenumberAtoms(mol, order)
    model, canonical = random_model(), ComptFeaturizer(canonical_order=True)
    torch.testing.assert_close(model(canonical(mol)), model(canonical(shuffled)))
    assert model.atom_order_matters


def test_other_featurizers_with_pairs_serve_too():
    featurizer = CanonicalFeaturizer(pairs=True)
    model = random_model(atom_size=featurizer.atom_size, bond_size=featurizer.bond_size)
    assert model(collate(SMILES, featurizer)).shape == (len(SMILES), 3)
    with pytest.raises(ValueError, match="pairs=True"):
        model(collate(SMILES, CanonicalFeaturizer()))


@pytest.mark.parametrize("name", ["mse", "mae", "rmse"])
def test_losses_of_regression(name):
    model = random_model(task="regression", loss=name)
    scores, targets = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    mask = torch.rand(5, 3) < 0.6
    difference = (scores - targets)[mask].numpy()
    expected = {"mse": (difference**2).mean(), "mae": abs(difference).mean(), "rmse": (difference**2).mean() ** 0.5}
    missing = targets.masked_fill(~mask, torch.nan)
    assert model.loss(scores, missing, mask).item() == pytest.approx(expected[name])
    exact = scores.clone().requires_grad_()
    model.loss(exact, scores, torch.ones_like(mask)).backward()
    assert torch.isfinite(exact.grad).all()


def test_recipes_are_options():
    assert RECIPES.keys() == WARMUP_FACTORS.keys()
    for name, options in RECIPES.items():
        task = "regression" if "loss" in options else "classification"
        config = ComptConfig(task=task, **options)
        assert config.num_layers >= 3, name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_size": 30}, "not a multiple of num_heads"),
        ({"norm": "batch"}, "choose one of 'layer', 'scale'"),
        ({"loss": "mae"}, "loss='mae'"),
        ({"padded_length": 9}, "released_padding=True"),
        ({"dropout": 1.0}, "probability"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        ComptConfig(**options)
