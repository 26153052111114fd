"""How far the loss rises in a ball, against quadratics and linear losses."""

import json
import math

import pytest
import torch
from support.closed_forms import Quadratic, quadratic

import zoo
from zoo.sharpness import measure, measure_surface


@pytest.mark.parametrize("rho", [0.05, 0.7])
def test_loss_rise_of_a_quadratic(rho: float) -> None:
    w = torch.randn(6, dtype=torch.float64)
    surface, matrix = quadratic(w)
    report = measure_surface(surface, rho=rho, directions=50)
    g = matrix @ w
    step = rho * g / g.norm()
    expected = float((w + step) @ matrix @ (w + step) - w @ matrix @ w) / 2
    assert report.loss_rise == pytest.approx(expected, rel=1e-9)
    assert report.grad_norm == pytest.approx(float(g.norm()))
    largest = rho * float(g.norm()) + rho**2 / 2 * float(torch.linalg.eigvalsh(matrix)[-1])
    assert 0 < report.random_rise < largest
    assert report.loss_rise < largest


def test_loss_rise_of_a_linear_loss_is_first_order_exactly() -> None:
    class Linear(Quadratic):
        def loss(self, scores, targets, mask):
            return (self.matrix[0, :2] * self.first).sum()

    surface, _ = quadratic(torch.randn(6, dtype=torch.float64))
    surface.model.__class__ = Linear
    report = measure_surface(surface, rho=0.3, eigenvalues=0)
    assert report.loss_rise == pytest.approx(0.3 * report.grad_norm)
    assert report.random_rise <= report.loss_rise


def test_adaptive_loss_rise_is_the_steepest_in_the_scaled_ball() -> None:
    w = torch.randn(6, dtype=torch.float64)
    surface, matrix = quadratic(w)
    rho, eta = 1e-4, 0.01
    report = measure_surface(surface, rho=rho, adaptive=True, eta=eta, directions=200, eigenvalues=0)
    scale, g = w.abs() + eta, matrix @ w
    step = rho * scale**2 * g / (scale * g).norm()
    assert float((step / scale).norm()) == pytest.approx(rho)
    assert report.loss_rise == pytest.approx(float((w + step) @ matrix @ (w + step) - w @ matrix @ w) / 2, rel=1e-6)
    assert report.random_rise < report.loss_rise


def test_at_the_minimum_there_is_no_direction_to_climb() -> None:
    surface, _ = quadratic(torch.zeros(6, dtype=torch.float64))
    report = measure_surface(surface, directions=0)
    assert report.loss_rise == 0.0
    assert math.isnan(report.random_rise)
    assert report.to_dict()["random_rise"] is None
    assert "random" not in str(report)


def test_a_diverged_model_has_no_sharpness() -> None:
    surface, _ = quadratic(torch.full((6,), float("nan"), dtype=torch.float64))
    report = measure_surface(surface, eigenvalues=2)
    assert math.isnan(report.loss_rise)
    assert len(report.eigenvalues) == 2


@pytest.mark.parametrize(
    "options", [{"rho": 0.0}, {"rho": math.nan}, {"eta": -1.0}, {"directions": -1}, {"trace_probes": 1}]
)
def test_options_out_of_range_are_named(options: dict) -> None:
    surface, _ = quadratic(torch.ones(6, dtype=torch.float64))
    with pytest.raises(ValueError, match=next(iter(options))):
        measure_surface(surface, **options)


def test_measure_a_learner(grover, dataset) -> None:
    report = measure(grover, dataset, max_molecules=5, directions=2)
    assert report == measure(grover, dataset, max_molecules=5, directions=2)
    assert report.molecules == 5
    assert report.loss_rise > max(report.random_rise, 0)
    assert "trace of the Hessian" in str(report)
    json.dumps(report.to_dict(), allow_nan=False)
    with pytest.raises(ValueError, match="max_molecules=0"):
        measure(grover, dataset, max_molecules=0)
    with pytest.raises(TypeError, match="random_forest"):
        measure(zoo.build("random_forest"), dataset)
