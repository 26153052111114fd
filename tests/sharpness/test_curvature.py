"""Eigenvalues, traces and products of the Hessian against matrices that are known."""

import numpy as np
import pytest
import torch
from curvlinops import HessianLinearOperator
from support.closed_forms import Inputs, OnRows, batches_of, full_hessian, mlp_surface, quadratic
from torch import nn

import zoo
from optim import Vector
from zoo.sharpness import Hessian, LossSurface
from zoo.sharpness.second_order import NoSecondDerivative, derivative_product, difference_product


def test_hessian_of_a_quadratic() -> None:
    surface, matrix = quadratic(torch.randn(6, dtype=torch.float64))
    hessian = Hessian(surface)
    assert hessian.exact
    expected = torch.linalg.eigvalsh(matrix).flip(0)
    np.testing.assert_allclose(hessian.largest_eigenvalues(3), expected[:3], rtol=1e-6)
    trace, error = hessian.trace(400)
    assert abs(trace - float(matrix.trace())) < 4 * error
    vector = Vector([torch.randn_like(w) for w in surface.weights])
    flat = torch.cat([t.flatten() for t in vector.tensors])
    for product in (derivative_product(surface, vector), difference_product(surface, vector, 1e-3)):
        torch.testing.assert_close(torch.cat([t.flatten() for t in product.tensors]), matrix @ flat, rtol=1e-7, atol=0)


def test_hessian_of_a_network_with_missing_labels() -> None:
    surface = mlp_surface()
    matrix = full_hessian(surface)
    expected = torch.linalg.eigvalsh(matrix).flip(0)
    np.testing.assert_allclose(Hessian(surface).largest_eigenvalues(2), expected[:2], rtol=1e-3)
    vector = Vector([torch.randn_like(w) for w in surface.weights])
    flat = torch.cat([t.flatten() for t in vector.tensors])
    exact, difference = derivative_product(surface, vector), difference_product(surface, vector, 1e-5)
    torch.testing.assert_close(torch.cat([t.flatten() for t in exact.tensors]), matrix @ flat)
    torch.testing.assert_close(
        torch.cat([t.flatten() for t in difference.tensors]), matrix @ flat, rtol=1e-6, atol=1e-8
    )


def test_products_are_those_of_curvlinops() -> None:
    surface = mlp_surface(labels_missing=False)
    x = torch.cat([batch.graph.values for batch in surface._batches])
    y = torch.cat([batch.targets for batch in surface._batches])
    network = surface.model.network
    reference = HessianLinearOperator(network, nn.BCEWithLogitsLoss(), list(network.parameters()), [(x, y)])
    flat = torch.randn(sum(sizes_of(surface)), dtype=torch.float64)
    vector = Vector([p.view(w.shape) for p, w in zip(flat.split(sizes_of(surface)), surface.weights, strict=True)])
    product = Hessian(surface).product(vector)
    torch.testing.assert_close(torch.cat([t.flatten() for t in product.tensors]), reference @ flat)


def sizes_of(surface: LossSurface) -> list[int]:
    return [w.numel() for w in surface.weights]


@pytest.mark.parametrize("name", ["grover", "gat", "gcn", "gt"])
def test_hessian_of_models_is_the_derivative_of_their_gradient(dataset, name: str) -> None:
    learner = zoo.build(name, device="cpu")
    hessian = Hessian(LossSurface.of(learner, dataset))
    learner.model.double()
    vector = Vector([torch.randn_like(w) for w in hessian.surface.weights])
    product, difference = hessian.product(vector), difference_product(hessian.surface, vector, 1e-7)
    assert product.plus(difference, -1).norm < 1e-4 * product.norm


def test_wrong_second_derivatives_are_found_and_replaced() -> None:
    class ForgetfulSoftmax(torch.autograd.Function):
        """Softmax whose gradient hides that it depends on the input, as DGL's softmax over edges does."""

        @staticmethod
        def forward(ctx, x):
            ctx.result = x.softmax(1)
            return ctx.result.clone()

        @staticmethod
        def backward(ctx, grad):
            return ctx.result * (grad - (grad * ctx.result).sum(1, keepdim=True))

    class Softmax(OnRows):
        def forward(self, inputs: Inputs) -> torch.Tensor:
            return super().forward(inputs).softmax(1)

    class Forgetful(OnRows):
        def forward(self, inputs: Inputs) -> torch.Tensor:
            return ForgetfulSoftmax.apply(super().forward(inputs))

    torch.manual_seed(0)
    x, y = torch.randn(12, 3, dtype=torch.float64), torch.rand(12, 3, dtype=torch.float64)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    wrong, right = (
        Hessian(LossSurface(kind(network), batches_of(x, y), "regression")) for kind in (Forgetful, Softmax)
    )
    assert right.exact
    assert not wrong.exact
    np.testing.assert_allclose(wrong.largest_eigenvalues(), right.largest_eigenvalues(), rtol=1e-2)


def test_a_missing_second_derivative_is_replaced() -> None:
    class Attention(OnRows):
        def forward(self, inputs: Inputs) -> torch.Tensor:
            return torch.cdist(super().forward(inputs), inputs.values[:, :2])[:, :1]

    torch.manual_seed(0)
    x, y = torch.randn(8, 3, dtype=torch.float64), torch.rand(8, 1, dtype=torch.float64)
    surface = LossSurface(Attention(nn.Linear(3, 2).double()), batches_of(x, y), "regression")
    with pytest.raises(NoSecondDerivative, match="Attention"):
        derivative_product(surface, Vector([torch.ones_like(w) for w in surface.weights]))
    hessian = Hessian(surface)
    assert hessian.largest_eigenvalues()[0] > 0
    assert not hessian.exact


@pytest.mark.parametrize("count", [-1, 6, 7])
def test_too_many_eigenvalues_are_a_mistake_of_the_user(count: int) -> None:
    surface, _ = quadratic(torch.randn(6, dtype=torch.float64))
    with pytest.raises(ValueError, match="eigenvalues="):
        Hessian(surface).largest_eigenvalues(count)
