"""The signed square root: its value, its slope, and the slope of its slope."""

import pytest
import torch

from zoo.layers.signed_root import signed_root

X = torch.tensor([-9.0, -0.25, -1e-12, 0.0, 1e-12, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_value_and_slope(dtype):
    x = torch.tensor([-9.0, -0.25, 0.0, -0.0, 4.0], dtype=dtype, requires_grad=True)
    root = signed_root(x)
    root.sum().backward()
    assert root.tolist() == [-3.0, -0.5, 0.0, 0.0, 2.0]
    torch.testing.assert_close(x.grad, torch.tensor([1 / 6, 1.0, 0.0, 0.0, 0.25], dtype=dtype))


def test_it_can_be_differentiated_twice():
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(signed_root(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    expected = (-0.25 * X.sign() * X.abs() ** -1.5).where(X != 0, 0.0)
    torch.testing.assert_close(curvature, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_with_eps_the_slope_is_finite(dtype):
    x = torch.zeros(2, dtype=dtype, requires_grad=True)
    signed_root(x, 1e-4).sum().backward()
    assert x.grad.tolist() == pytest.approx([100.0, 100.0], rel=1e-2)
    torch.testing.assert_close(signed_root(X, 1e-4), X / (X.abs() + 1e-4).sqrt())
