import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from featurizers import GroverFeaturizer, PackedMolecules
from zoo.layers.branches import logit_of_mean
from zoo.layers.message_passing import use_torch
from zoo.models.grover import Grover, GroverConfig
from zoo.models.grover_weights import config_from_published, from_published, to_published

SMILES = [
    "C",
    "*",
    "[Og]",
    "[Na+].[Cl-]",
    "[NH3]->[Cu+2]",
    "CC(=O)Oc1ccccc1C(=O)O",
    "C1CC1.O",
    "C[N+](C)(C)CC(O)CC(=O)[O-]",
]
SMALL = GroverConfig(hidden_size=8, num_layers=3, num_heads=2, ffn_hidden_size=6, num_tasks=2)
CONFIGS = {
    "default": SMALL,
    "attentive": dataclasses.replace(SMALL, readout="self_attention", attention_out=3, num_blocks=2, bias=True),
    "regression": dataclasses.replace(SMALL, task="regression", activation="elu", ffn_num_layers=1, dense=True),
}


def batch(molecules, featurizer=None):
    featurizer = featurizer or GroverFeaturizer()
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(m)) for m in molecules]))


def build(config, seed=0):
    torch.manual_seed(seed)
    return Grover(config).double().eval()


@pytest.fixture(params=CONFIGS)
def model(request):
    return build(CONFIGS[request.param])


@given(order=st.permutations(range(13)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_atoms_does_not_matter(order):
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")
    model = build(CONFIGS["attentive"])
    expected = model(batch([mol]))
    got = model(batch([Chem.RenumberAtoms(mol, list(order))]))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-11)


def test_a_prediction_does_not_depend_on_the_batch(model):
    together = model(batch(SMILES))
    alone = torch.cat([model(batch([smiles])) for smiles in SMILES])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-11)
    backwards = model(batch(SMILES[::-1])).flip(0)
    torch.testing.assert_close(together, backwards, rtol=1e-10, atol=1e-11)


def test_forward_is_pure(model):
    graph = batch(SMILES)
    before = {name: feats.clone() for name, feats in {**graph.graph.ndata, **graph.graph.edata}.items()}
    assert torch.equal(model(graph), model(graph))
    after = {**graph.graph.ndata, **graph.graph.edata}
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    model.train()
    scores = []
    for _ in range(2):
        torch.manual_seed(1)
        scores.append(model(graph))
    assert torch.equal(*scores)


@pytest.mark.parametrize("smiles", ["C", "[Og]", "*.*", "C" * 300])
def test_single_atoms_unknown_elements_and_large_molecules(model, smiles):
    assert torch.isfinite(model(batch([smiles]))).all()
    model.train()
    scores = model(batch([smiles]))
    model.loss(scores, torch.ones(1, 2, dtype=torch.float64)).backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())


def test_gradients_reach_every_parameter(model):
    model = Grover(dataclasses.replace(model.config, dynamic_depth=None)).double().train()
    scores = model(batch(SMILES))
    assert scores.shape == (2, len(SMILES), 2)
    model.loss(scores, torch.rand(len(SMILES), 2, dtype=torch.float64)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # The softmax does not change when all keys move by the same vector.
        assert parameter.grad.abs().sum() > 0 or name.endswith("attention.bias"), name


def test_dgl_and_torch_paths_agree(model):
    graph = batch(SMILES)
    results = []
    for path in (False, True):
        model.zero_grad()
        if path:
            with use_torch():
                out = model(graph)
                out.square().sum().backward()
        else:
            out = model(graph)
            out.square().sum().backward()
        results.append([out, *(p.grad.clone() for p in model.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-11)


def test_the_released_padding_depends_on_the_batch():
    model = build(dataclasses.replace(SMALL, released_padding=True))
    for parameter in model.parameters():  # a fresh model has no biases, and the padding row is still zero
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, 0.5, 0.2)
    together = model(batch(SMILES))
    assert (together[:1] - model(batch(SMILES[:1]))).abs().max() > 1e-6


def test_embed_gives_both_branches(model):
    assert model.embed(batch(SMILES)).shape == (len(SMILES), 2 * model.head.readout.output_size)


def test_bond_branches_exist_only_when_asked_for():
    graph = batch(SMILES)
    both = build(dataclasses.replace(SMALL, embedding_output="both"))
    assert both.encoder(graph, bonds=True).bond_from_bond.shape == (graph.graph.num_edges(), 8)
    assert both.encoder(graph).bond_from_bond is None
    with pytest.raises(ValueError, match='embedding_output="both"'):
        build(SMALL).encoder(graph, bonds=True)


def test_descriptors_are_joined_and_asked_for():
    model = build(dataclasses.replace(SMALL, descriptor_size=3))
    graph = batch(SMILES)
    with pytest.raises(ValueError, match="rdkit_2d_normalized"):
        model(graph)
    graph.descriptors = torch.rand(len(SMILES), 3)
    assert model(graph).shape == (len(SMILES), 2)


def test_loss_ignores_masked_targets(model):
    graph = batch(SMILES)
    targets = torch.rand(len(SMILES), 2, dtype=torch.float64)
    mask = torch.ones_like(targets)
    mask[0, 0] = mask[3] = 0
    for training in (True, False):
        torch.manual_seed(0)
        scores = model.train(training)(graph)
        expected = model.loss(scores, targets, mask)
        assert torch.equal(model.loss(scores, targets.masked_fill(mask == 0, torch.nan), mask), expected)
        assert model.loss(scores, targets, torch.zeros_like(mask)) == 0


@given(a=st.floats(-300, 300), b=st.floats(-300, 300))
def test_logit_of_the_mean_probability(a, b):
    a, b = torch.tensor([a, b], dtype=torch.float64)
    got = logit_of_mean(a, b)
    assert torch.isfinite(got)
    torch.testing.assert_close(got.sigmoid(), (a.sigmoid() + b.sigmoid()) / 2, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "ranking"}, "task='ranking'"),
        ({"hidden_size": 10, "num_heads": 4}, "hidden_size=10"),
        ({"activation": "swish"}, "prelu"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"readout": "max"}, "self_attention"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        GroverConfig(**options)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_weights_to_published_names_and_back(config):
    model, other = build(config), build(config, seed=1)
    other.load_state_dict(from_published(to_published(model), config))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_published_weights_that_do_not_fit():
    published = to_published(build(SMALL))
    with pytest.raises(ValueError, match="shape"):
        from_published(published, dataclasses.replace(SMALL, hidden_size=16))
    del published["grover.encoders.node_blocks.0.W_o.weight"]
    with pytest.raises(KeyError, match="W_o"):
        from_published(published, SMALL)


@pytest.mark.parametrize("option", [{"undirected": True}, {"hidden_size": 151}, {"embedding_output_type": "bond"}])
def test_published_options_that_cannot_be_reproduced(option):
    args = {"hidden_size": 16, "depth": 3, "activation": "PReLU", "num_attn_head": 2, "ffn_hidden_size": 8}
    assert config_from_published(args).released_padding
    with pytest.raises(ValueError, match=next(iter(option))):
        config_from_published(args | option)


def test_a_training_step_lowers_the_loss():
    torch.manual_seed(0)
    model = Grover(SMALL).train()
    graph = batch(SMILES)
    targets = torch.randint(0, 2, (len(SMILES), 2)).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = model.loss(model(graph), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
