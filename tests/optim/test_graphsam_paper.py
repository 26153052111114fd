"""The rules that carry the paper's name have the paper's equations and values."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task

import optim
import zoo
from zoo.registry.catalog import OPTIMIZERS


def test_the_anchor_is_raw_and_rho_decays_every_epoch():
    """Eq. 4 written out: after the anchor d = beta g + (1 - beta) g_s / |g_s|; eq. 5: a root of gamma each epoch."""
    task = Task("graphsam_paper", base="sgd", rho=0.3, beta=0.6, gamma=0.5, lam=2)
    task.step()
    gradient = directions_of(task)[0]
    updating = torch.cat([torch.zeros_like(p).reshape(-1) if p.grad is None else p.grad.reshape(-1)
                          for p in [*task.model.parameters(), task.unused]])  # fmt: skip
    before = task.weights
    task.step()
    epsilon, expected = task.calls[0] - before, 0.6 * gradient + 0.4 * updating / updating.norm()
    torch.testing.assert_close(epsilon, 0.3 * expected / expected.norm(), rtol=0, atol=1e-12)
    radii = []
    for epoch in range(4):
        task.optimizer.set_epoch(epoch)
        radii.append(task.optimizer.current_rho)
    assert radii == pytest.approx([0.3, 0.3 * 0.5**0.5, 0.15, 0.15 * 0.5**0.5], rel=1e-12)


def directions_of(task: Task) -> list[torch.Tensor]:
    """The true gradient at the first weights of the task, before its first step."""
    other = Task("unperturbed", base="sgd")
    other.step()
    parameters = [*other.model.parameters(), other.unused]
    return [torch.cat([torch.zeros_like(p).reshape(-1) if p.grad is None else p.grad.reshape(-1) for p in parameters])]


def test_a_unit_anchor_contradicts_the_name():
    with pytest.raises(ValueError, match="PaperGraphSAM is GraphSAM with anchor='raw'"):
        optim.PaperGraphSAM(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]), anchor="unit")


def test_smooth_and_stepwise_decay_agree_where_lam_divides_the_epoch():
    for lam in (1, 2, 3):
        for epoch in range(0, 12, lam):
            assert optim.smooth_rho(0.05, 0.7, lam, epoch) == pytest.approx(optim.step_rho(0.05, 0.7, lam, epoch))
    assert optim.smooth_rho(0.05, 0.7, 2, 1) < optim.step_rho(0.05, 0.7, 2, 1)


def test_the_tuned_looksam_has_the_values_of_the_paper():
    optimizer = zoo.build("gcn", optimizer="looksam_tuned").optimizer
    assert (optimizer.rho, optimizer.alpha, optimizer.every) == (1e-4, 0.2, 8)
    assert zoo.build("gcn", optimizer="looksam_tuned", optimizer_args={"every": 3}).optimizer.every == 3


def test_names_and_classes_agree():
    classes = {name: OPTIMIZERS[name].resolve() for name in ("graphsam", "graphsam_paper", "graphsam_released")}
    assert classes == {
        "graphsam": optim.GraphSAM,
        "graphsam_paper": optim.PaperGraphSAM,
        "graphsam_released": optim.ReleasedGraphSAM,
    }
    assert zoo.build("gcn", optimizer="graphsam_released").optimizer.adaptive


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_recipes_that_name_a_variant_still_build(variant):
    recipe = zoo.Recipe("gcn", "graphsam", "canonical", optimizer_args={"variant": variant, "rho": 0.03})
    optimizer = zoo.build(recipe.model, optimizer=recipe.optimizer, optimizer_args=recipe.optimizer_args).optimizer
    assert (type(optimizer).__name__, optimizer.rho) == (
        {"paper": "GraphSAM", "released": "ReleasedGraphSAM"}[variant],
        0.03,
    )
