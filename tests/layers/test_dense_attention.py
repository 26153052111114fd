"""Layers of Graphormer and EGT against DGL's own, with the same weights."""

import pytest
import torch
from torch import nn

from zoo.layers.egt_layer import EGTLayer
from zoo.layers.graphormer_layer import GraphormerLayer
from zoo.layers.pair_blocks import MASKED
from zoo.layers.structure_bias import DegreeEmbedding, DistanceBias, PathBias

dgl_nn = pytest.importorskip("dgl.nn", reason="compares with DGL, which is not installed here")

D, H, C, B, L = 24, 4, 12, 5, 9
SIZES = torch.tensor([9, 1, 4, 7, 9])
MASK = torch.arange(L) < SIZES[:, None]
close = torch.testing.assert_close


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def random(*shape):
    return torch.randn(shape, dtype=torch.float64)


def scrambled(module):
    """In float64 with no parameter at its default."""
    module = module.double().eval()
    for parameter in module.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    return module


def copy_into(theirs, ours):
    theirs.weight.data.copy_(ours.weight)
    theirs.bias.data.copy_(ours.bias)


def test_graphormer_layer():
    ours = scrambled(GraphormerLayer(D, 40, H))
    theirs = dgl_nn.GraphormerLayer(D, 40, H, norm_first=True, activation=nn.GELU()).double().eval()
    stacked = ours.attention.query_key_value
    parts = zip("qkv", stacked.weight.chunk(3), stacked.bias.chunk(3), strict=True)
    for name, weight, bias in parts:
        getattr(theirs.attn, f"{name}_proj").weight.data.copy_(weight)
        getattr(theirs.attn, f"{name}_proj").bias.data.copy_(bias)
    copy_into(theirs.attn.out_proj, ours.attention.output)
    copy_into(theirs.attn_layer_norm, ours.attention_norm)
    copy_into(theirs.ffn_layer_norm, ours.ffn_norm)
    copy_into(theirs.ffn[0], ours.feed_forward.layers[0])
    copy_into(theirs.ffn[3], ours.feed_forward.layers[1])
    x, bias = random(B, L, D), random(B, L, L, H)
    expected = theirs(x, bias, ~MASK[:, None, :].expand(B, L, L))
    got = ours(x, bias.permute(0, 3, 1, 2) + (~MASK)[:, None, None, :] * MASKED)
    close(got[MASK], expected[MASK], rtol=1e-9, atol=1e-9)


def test_degree_embedding():
    ours, theirs = scrambled(DegreeEmbedding(6, D)), dgl_nn.DegreeEncoder(6, D, direction="in").double()
    theirs.encoder.weight.data.copy_(ours.table)
    degrees = torch.randint(0, 12, (B, L))
    close(ours(degrees.flatten()).view(B, L, D), theirs(degrees), rtol=1e-9, atol=1e-9)


def test_distance_bias():
    ours, theirs = scrambled(DistanceBias(5, H)), dgl_nn.SpatialEncoder(5, H).double()
    theirs.embedding_table.weight.data.copy_(ours.table)
    distances = torch.randint(-1, 12, (B, L, L))
    close(ours(distances.flatten()).view(B, L, L, H), theirs(distances), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("given", [3, 5])
def test_path_bias(given):
    K, E = 3, 30
    ours, theirs = scrambled(PathBias(K, 7, H)), dgl_nn.PathEncoder(K, 7, H).double()
    theirs.embedding_table.weight.data.copy_(ours.weight.reshape(K * H, 7))
    distances = torch.randint(-1, 6, (B, L, L))
    path = torch.randint(0, E, (B, L, L, given)).where(torch.arange(given) < distances[..., None], -1)
    bonds = random(E, 7)
    along = torch.cat([bonds, torch.zeros(1, 7, dtype=torch.float64)])[path[..., :K]]
    got = ours(path.view(-1, given), distances.flatten(), bonds)
    close(got.view(B, L, L, H), theirs(distances, along), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="path_length=3"):
        ours(path.view(-1, given)[:, :2], distances.flatten(), bonds)


@pytest.mark.parametrize("virtual", [0, 2])
@pytest.mark.parametrize("update", [True, False])
def test_egt_layer(virtual, update):
    options = {"scale_products": False, "scale_degree": True, "ffn_multiplier": 1.0, "pair_ffn_multiplier": 1.0}
    ours = scrambled(EGTLayer(D, C, H, virtual, update_pairs=update, **options))
    theirs = dgl_nn.EGTLayer(D, C, H, virtual, edge_update=update).double().eval()
    dk = D // H
    to_theirs = torch.arange(D).view(H, dk).T.flatten()  # they count dimensions first, then heads
    rows = torch.cat([part * D + to_theirs for part in range(3)])
    theirs.qkv_proj.weight.data.copy_(ours.query_key_value.weight[rows])
    theirs.qkv_proj.bias.data.copy_(ours.query_key_value.bias[rows])
    theirs.node_output.weight.data.copy_(ours.output.weight[:, to_theirs])
    theirs.node_output.bias.data.copy_(ours.output.bias)
    for place, part in enumerate((theirs.edge_input, theirs.gate)):
        part.weight.data.copy_(ours.score_and_gate.weight.chunk(2)[place])
        part.bias.data.copy_(ours.score_and_gate.bias.chunk(2)[place])
    pairs = [(theirs.mha_ln_h, ours.norm), (theirs.mha_ln_e, ours.pair_norm), (theirs.node_ffn[0], ours.ffn_norm)]
    pairs += [(theirs.node_ffn[1], ours.feed_forward.layers[0]), (theirs.node_ffn[3], ours.feed_forward.layers[1])]
    if update:
        inner = ours.pair_feed_forward.layers
        pairs += [(theirs.edge_output, ours.pair_output), (theirs.edge_ffn[0], ours.pair_ffn_norm)]
        pairs += [(theirs.edge_ffn[1], inner[0]), (theirs.edge_ffn[3], inner[1])]
    for part, own in pairs:
        copy_into(part, own)
    x, states = random(B, L, D), 3 * random(B, L, L, C)
    of_padding = torch.zeros(B, L, L).masked_fill(~MASK[:, None, :], float("-inf")).double()
    expected = theirs(x.clone(), states.clone(), of_padding)
    expected_x, expected_states = expected if update else (expected, states)
    got_x, got_states = ours(x, states, MASK)
    close(got_x[MASK], expected_x[MASK], rtol=1e-9, atol=1e-9)
    both = MASK[:, :, None] & MASK[:, None, :]
    close(got_states[both], expected_states[both], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale_degree", [True, False])
def test_random_masking_of_egt(scale_degree):
    """In training each head ignores tokens at random; in evaluation none."""
    layer = scrambled(EGTLayer(D, C, H, scale_degree=scale_degree, random_masking=0.3))
    x, states = random(B, L, D), random(B, L, L, C)
    assert torch.equal(layer(x, states, MASK)[0], layer(x, states, MASK)[0])
    layer.train()
    torch.manual_seed(1)
    first, second = (layer(x, states, MASK) for _ in range(2))
    assert not torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])  # what is written into pairs is not masked
    layer.random_masking = 1 - 1e-12  # all tokens ignored: nothing is attended to
    scores = random(B, H, L, L)
    attended = layer.attend(scores, scores, random(B, H, L, D // H), MASK)
    assert attended.abs().max() < 1e-9


def test_recomputing_the_pairs_of_egt_keeps_less_and_changes_nothing():
    layers = [
        scrambled(EGTLayer(D, C, H, dropout=0.2, recompute_pairs=recompute)).train() for recompute in (False, True)
    ]
    layers[1].load_state_dict(layers[0].state_dict())
    x, states, results = random(B, L, D), random(B, L, L, C).requires_grad_(), []
    for layer in layers:
        kept = []
        torch.manual_seed(0)
        with torch.autograd.graph.saved_tensors_hooks(lambda t, kept=kept: kept.append(t.numel()) or t, lambda t: t):
            x_out, pairs = layer(x, states, MASK)
        loss = x_out[MASK].square().sum() + pairs.square().sum()
        first = torch.autograd.grad(loss, [states, *layer.parameters()], create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), list(layer.parameters()))
        results.append((sum(kept), [loss, *first, *second]))
    (all_kept, expected), (less_kept, got) = results
    assert less_kept < 0.6 * all_kept
    for ours, theirs in zip(got, expected, strict=True):
        close(ours, theirs, rtol=1e-12, atol=1e-12)
