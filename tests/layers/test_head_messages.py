import pytest
import torch

from featurizers import GroverFeaturizer, PackedMolecules
from zoo.layers import grover_block, head_messages
from zoo.layers.activations import ACTIVATIONS, Activation
from zoo.layers.grover_block import GroverBlock
from zoo.layers.head_attention import HeadAttention, row_products
from zoo.layers.head_messages import HeadMessages
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.passage import Passage
from zoo.layers.readout import SelfAttentiveReadout
from zoo.models.grover import Grover, GroverConfig


def molecules(*smiles):
    featurizer = GroverFeaturizer()
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(text)) for text in smiles]))


def force(monkeypatch, jointly):
    """Choose one of the two ways in which heads advance, whatever the device."""
    for module in (grover_block, head_messages):
        monkeypatch.setattr(module, "advances_jointly", lambda _: jointly)


def one_by_one(layer, x, sums, steps):
    """The definition: each head on its own, step by step."""
    heads = []
    for head, count in enumerate(steps):
        message = x
        for _ in range(count):
            product = sums(message.unsqueeze(1)).squeeze(1) @ layer.weight[head]
            if layer.bias is not None:
                product = product + layer.bias[head]
            if not layer.dense:
                product = product + x
            slopes = layer.activation.weight
            alone = Activation(layer.activation.name)
            if slopes is not None:
                del alone.weight
                alone.weight = slopes[head : head + 1]
            message = alone(product)
        heads.append(message)
    return torch.stack(heads, dim=1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias_and_dense", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", ["atoms", "bonds"])
@pytest.mark.parametrize("jointly", [False, True])
def test_all_heads_together_are_the_heads_one_by_one(activation, bias_and_dense, padded, kind, jointly, monkeypatch):
    force(monkeypatch, jointly)
    torch.manual_seed(0)
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    around = Neighborhood.padded(batch) if padded else Neighborhood.of(batch)
    rows = (batch.graph.num_nodes() if kind == "atoms" else batch.graph.num_edges()) + padded
    sums = around.atom_rows if kind == "atoms" else around.bond_rows
    steps = torch.tensor([2, 0, 3, 1, 2, 0])
    layer = HeadMessages(5, 6, 4, activation, bias=bias_and_dense, dense=bias_and_dense, num_groups=3).double()
    if activation == "prelu":
        torch.nn.init.uniform_(layer.activation.weight, -0.5, 1.5)
    layer._draw_steps = lambda: steps
    x = torch.randn(rows, 5, dtype=torch.float64, requires_grad=True)
    leaves = [x, *layer.parameters()]
    weights = torch.randn(rows, 6, 5, dtype=torch.float64)
    results = []
    for out in (torch.cat(layer(x, Passage.of_all(sums, 0)), dim=1), one_by_one(layer, x, sums, steps.tolist())):
        results.append([out, *torch.autograd.grad((out * weights).sum(), leaves)])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-11)
    with torch.no_grad():
        torch.testing.assert_close(torch.cat(layer(x, Passage.of_all(sums, 0)), dim=1), results[0][0])


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("steps", [[2, 2, 3, 1, 2, 2], [0, 3, 0, 3, 1, 0], [3] * 6, [0] * 6])
def test_heads_that_advance_jointly_draw_and_learn_as_one_after_the_other(dropout, steps, monkeypatch):
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    torch.manual_seed(0)
    layer = HeadMessages(5, 6, 4, "prelu", dropout, bias=True, num_groups=3).double()
    layer._draw_steps = lambda: torch.tensor(steps)
    x = torch.randn(batch.graph.num_edges(), 5, dtype=torch.float64, requires_grad=True)
    results = []
    for jointly in (False, True):
        force(monkeypatch, jointly)
        torch.manual_seed(1)
        out = torch.stack(layer(x, Passage.of_all(Neighborhood.of(batch).bond_rows, 0)))
        results.append([out, *torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("training", [False, True])
def test_a_model_is_the_same_whichever_way_its_heads_advance(training, monkeypatch):
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    torch.manual_seed(0)
    model = Grover(GroverConfig(hidden_size=12, num_heads=3, num_blocks=2, dynamic_depth="truncnorm", bias=True))
    model.double().train(training)
    results = []
    for jointly in (False, True):
        force(monkeypatch, jointly)
        torch.manual_seed(1)
        scores = model(batch)
        results.append([scores, *torch.autograd.grad(scores.square().sum(), [*model.parameters()])])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def test_jointly_a_step_of_all_heads_is_one_product_and_one_activation(monkeypatch):
    force(monkeypatch, True)
    batch = molecules("CC(C)(C)O")
    layer = HeadMessages(4, 12, 4, "prelu", num_groups=3)
    sums = Neighborhood.of(batch).atom_rows
    with torch.profiler.profile() as profile, torch.no_grad():
        layer(torch.randn(5, 4), Passage.of_all(sums, 0))
    counts = {event.key: event.count for event in profile.key_averages()}
    assert counts["aten::baddbmm"] == counts["aten::_prelu_kernel"] == 3


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_it_does_not_matter_how_many_heads_advance_together(dropout):
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    torch.manual_seed(0)
    layer = HeadMessages(5, 6, 4, "prelu", dropout, bias=True, num_groups=3).double()
    layer._draw_steps = lambda: torch.tensor([2, 2, 3, 1, 2, 2])
    x = torch.randn(batch.graph.num_edges(), 5, dtype=torch.float64, requires_grad=True)
    results = []
    for together in (1, 2, 6):
        layer._heads_together = lambda _, together=together: together
        torch.manual_seed(1)
        out = torch.stack(layer(x, Passage.of_all(Neighborhood.of(batch).bond_rows, 0)))
        results.append([out, *torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])])
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("together", [1, 6, None])
def test_autocast_keeps_messages_in_half_precision_and_gradients_in_single(together, monkeypatch):
    force(monkeypatch, together is None)
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    torch.manual_seed(0)
    layer = HeadMessages(16, 6, 4, "prelu", bias=True, num_groups=3)
    layer._heads_together = lambda _: together
    x = torch.randn(batch.graph.num_nodes(), 16, requires_grad=True)
    results = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            out = torch.stack(layer(x, Passage.of_all(Neighborhood.of(batch).atom_rows, 0)))
        assert out.dtype == (torch.bfloat16 if enabled else torch.float32)
        results.append([out.float(), *torch.autograd.grad(out.float().square().sum(), [x, *layer.parameters()])])
    for exact, rounded in zip(*results, strict=True):
        assert rounded.dtype == torch.float32
        assert (rounded - exact).norm() < 0.02 * exact.norm()


def test_dropout_and_its_gradient_agree():
    torch.manual_seed(0)
    batch = molecules("CC(C)(C)O")
    layer = HeadMessages(4, 2, 3, "elu", dropout=0.4).double()
    x = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)

    def same_draw(x):
        torch.manual_seed(1)
        return layer(x, Passage.of_all(Neighborhood.of(batch).atom_rows, 0))[0]

    assert (same_draw(x) == 0).double().mean() == pytest.approx(0.4, abs=0.25)
    assert torch.autograd.gradcheck(same_draw, x)


def test_depths_are_drawn_around_the_depth():
    torch.manual_seed(0)
    normal = HeadMessages(2, 4000, 5, "relu", dynamic_depth="truncnorm").train()
    steps = normal._draw_steps() + 1
    assert steps.double().mean().item() == pytest.approx(4.5, abs=0.1)  # rounded down
    assert steps.min() >= 2
    assert steps.max() <= 8
    uniform = HeadMessages(2, 4000, 5, "relu", dynamic_depth="uniform").train()._draw_steps() + 1
    assert sorted(set(uniform.tolist())) == [2, 3, 4, 5, 6, 7]
    shallow = HeadMessages(2, 4000, 1, "relu", dynamic_depth="truncnorm").train()._draw_steps()
    assert shallow.min() == 0
    assert set(normal.eval()._draw_steps().tolist()) == {4}


def test_draws_repeat_with_the_seed():
    layer = HeadMessages(2, 12, 6, "relu", dynamic_depth="truncnorm").train()
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(layer._draw_steps().tolist())
    assert draws[0] == draws[1]


def test_the_released_padding_adds_the_last_row_for_every_missing_neighbor():
    batch = molecules("CC(C)(C)O", "C")
    around = Neighborhood.padded(batch)
    atoms = torch.arange(1.0, 8.0).unsqueeze(1)
    # Degrees 1, 4, 1, 1, 1 | 0 and the padding row, which has the largest degree as often itself.
    assert around.sum_atoms(atoms).flatten().tolist() == [2 + 21, 1 + 3 + 4 + 5, 23, 23, 23, 28, 28]


@pytest.mark.parametrize("padded", [False, True])
def test_sums_of_rows_are_sums_over_bonds_and_their_transposes(padded):
    batch = molecules("CC(C)(C)O", "C", "c1ccsc1")
    around = Neighborhood.padded(batch) if padded else Neighborhood.of(batch)
    for rows, sums in ((around.atom_rows, around.sum_atoms), (around.bond_rows, around.sum_bonds)):
        eye = torch.eye(len(rows.starts), dtype=torch.float64)
        torch.testing.assert_close(rows(eye), sums(eye))
        torch.testing.assert_close(rows.transposed(eye), sums(eye).T)
    eye = torch.eye(len(around.source), dtype=torch.float64)
    incoming = around.incoming_rows
    torch.testing.assert_close(incoming(eye), around.sum_to_atoms(eye))
    back = torch.eye(len(incoming.starts), dtype=torch.float64)
    torch.testing.assert_close(incoming.transposed(back), around.sum_to_atoms(eye).T)


@pytest.mark.parametrize(("n", "D"), [(3, 6), (40, 6)])
def test_blocks_merge_heads_as_both_products_one_after_the_other(n, D):
    torch.manual_seed(0)
    block = GroverBlock(D, 3, 2, "relu", bias=True).double()
    for linear in (block.attention.output, block.merge):
        torch.nn.init.normal_(linear.bias)
    parts = torch.randn(n, 3, 3, D // 3, dtype=torch.float64)
    heads = parts.transpose(1, 2).flatten(2)
    torch.testing.assert_close(block._merge(parts), block.merge(block.attention.output(heads).flatten(1)))


def test_products_of_rows_have_both_gradients_and_those_of_these():
    left, right = (torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    torch.testing.assert_close(row_products(left, right), left @ right.transpose(1, 2))
    assert torch.autograd.gradcheck(row_products, (left, right))
    assert torch.autograd.gradgradcheck(row_products, (left, right))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_attention_between_heads_never_mixes_rows(dtype):
    torch.manual_seed(0)
    layer = HeadAttention(6, 3).to(dtype)
    q, k, v = (torch.randn(4, 3, 6, dtype=dtype) for _ in range(3))
    together = layer(q, k, v)
    assert together.shape == (4, 18)
    torch.testing.assert_close(together[2:3], layer(q[2:3], k[2:3], v[2:3]))
    with pytest.raises(ValueError, match="hidden_size=5"):
        HeadAttention(5, 3)


def test_self_attentive_readout_is_its_formula():
    torch.manual_seed(0)
    batch = molecules("CCO", "C", "CC")
    layer, x = SelfAttentiveReadout(4, 3, 2), torch.randn(6, 4)
    expected = []
    for atoms in x.split([3, 1, 2]):
        weights = torch.softmax(layer.w2 @ torch.tanh(layer.w1 @ atoms.T), dim=1)
        expected.append((weights @ atoms).flatten())
    torch.testing.assert_close(layer(batch.graph, x), torch.stack(expected))
