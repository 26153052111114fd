"""Groups of normalization layers, and fused bases."""

from __future__ import annotations

import pytest
import torch

import optim


class Own(torch.nn.LayerNorm):
    """A normalization of somebody's own."""


def model():
    return torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 4), Own(4), torch.nn.GroupNorm(2, 4),
        torch.nn.RMSNorm(4), torch.nn.Linear(4, 1),
    )  # fmt: skip


def test_only_normalization_layers_are_perturbed():
    net = model()
    optimizer = optim.SAM(torch.optim.SGD(optim.norm_only_groups(net, lr=0.1)), rho=0.5)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    seen = []

    def closure():
        seen.append({name for name, p in net.named_parameters() if not torch.equal(p, before[name])})
        loss = net(torch.arange(12.0).view(3, 4).sin()).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert seen == [set(), {f"{i}.{name}" for i in (1, 3, 4) for name in ("weight", "bias")} | {"5.weight"}]
    assert all(not torch.equal(p, before[name]) for name, p in net.named_parameters() if name.endswith("weight"))
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.1]


def test_kinds_and_models_without_any():
    groups = optim.norm_only_groups(model(), kinds=[torch.nn.RMSNorm])
    assert [len(group["params"]) for group in groups] == [1, 12]
    with pytest.raises(ValueError, match="Linear has no normalization layer with parameters"):
        optim.norm_only_groups(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("cls", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad])
def test_a_fused_base_where_there_is_one(cls):
    params = list(model().parameters())
    for given in (params, [{"params": params}], dict(model().named_parameters()).items()):
        assert optim.fused_option(cls, given) == {"fused": True}
    cls(params, lr=0.1, fused=True)


def test_no_fused_base_where_there_is_none():
    params = list(model().parameters())
    assert optim.fused_option(torch.optim.RAdam, params) == {}
    assert optim.fused_option(torch.optim.Adam, [torch.nn.Parameter(torch.ones(1, dtype=torch.complex64))]) == {}
    assert optim.fused_option(torch.optim.Adam, [torch.nn.Parameter(torch.ones(1, device="meta"))]) == {}
    assert optim.fused_option(torch.optim.Adam, []) == {}


def test_a_state_decides_whether_its_run_goes_on_fused():
    """So a run that was saved without a fused base is resumed bit for bit."""
    weight = torch.nn.Parameter(torch.ones(2))
    fused, plain = (optim.SAM(torch.optim.Adam([weight], fused=fused)) for fused in (True, None))
    fused.load_state_dict(plain.state_dict())
    assert fused.param_groups[0]["fused"] is None
