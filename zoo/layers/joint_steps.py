"""The steps of message passing of all heads at once, for devices that take longer to start a kernel than to run it.

`HeadSteps` computes the same head by head, for processors, whose caches are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo.layers.activations import activated, activated_gradient
from zoo.layers.head_plan import Plan
from zoo.layers.head_steps import add_product, multiply


class JointSteps(torch.autograd.Function):
    """`m <- dropout(act(x + sum(m) W_k + b_k))`, repeated for every head as often as the plan says.

    A step is one product, one activation and one sum of neighbours for all heads that take it. Tensors (heads, n, D)
    lie in memory row by row where neighbours are summed next, and head by head in the end, so that nothing is copied
    between two kernels where all heads take equally many steps. States (before the activation) are kept for the
    gradient; messages are computed again. Heads are sorted by their number of steps, those that take most first.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, slope: Tensor | None, plan: Plan
    ) -> Tensor:
        """Run the steps.

        Args:
            ctx: Where the gradient finds what it needs.
            x: Input (n, D), in the precision of the products.
            weight: (K, D, D), in any precision; cast once.
            bias: (K, D), or `None`.
            slope: (K,) if the activation learns its slopes, else `None`.
            plan: The rest; its `groups` and `together` are not read.

        Returns:
            Last messages of the heads (K, n, D).
        """
        order = plan.order(x.device)
        factors = _sorted(weight, order, x.dtype)
        biases, slopes = (None if part is None else _sorted(part, order, x.dtype) for part in (bias, slope))
        summed, masks, running = plan.sums(x), plan.draw_masks(x), plan.running()
        rows = summed.unsqueeze(1).expand(len(x), running[0], x.shape[1])
        resting = len(weight) - running[0]
        ended, states = [x.repeat(resting, 1, 1)] if resting else [], []
        for step, count in enumerate(running[:-1]):
            going_on = running[step + 1]
            state = _empty(x, count, by_row=going_on > 0)
            multiply(x, rows, factors[:count], plan, state)
            if biases is not None:
                state += biases[:count].unsqueeze(1)
            states += [state] if plan.keep else []
            messages = activated(plan.activation, state, _first(slopes, count))
            plan.drop_all(messages, masks, step)
            if going_on < count:
                ended.insert(0, messages[going_on:])
            if going_on:
                rows = plan.sums(messages[:going_on].transpose(0, 1).contiguous())
        ctx.plan, ctx.num_states = plan, len(states)
        ctx.save_for_backward(x, summed, factors, weight, bias, slope, slopes, order, *states, *masks)
        last = ended[0] if len(ended) == 1 else torch.cat(ended)
        return last if order is None else last.index_select(0, order.argsort())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """Gradients of x, weight, bias and slope from that of the messages."""
        steps = _Backward(ctx.plan, ctx.saved_tensors, ctx.num_states, grad)
        for step in reversed(range(ctx.num_states)):
            steps.through_activation(step)
            if step > 0:
                steps.through_product(step)
        return steps.finish()


class _Backward:
    """The gradients of `JointSteps`, from the last step to the first; those of heads in the order of the plan.

    Sums over heads and steps are in single precision at least.
    """

    def __init__(self, plan: Plan, saved: Sequence[Tensor], num_states: int, grad: Tensor) -> None:
        self.x, self.summed, self.factors, weight, bias, slope, self.slopes, self.order, *rest = saved
        self.plan, self.running = plan, plan.running()
        self.states, self.masks = rest[:num_states], rest[num_states:]
        self.grad = (grad if self.order is None else grad.index_select(0, self.order)).contiguous()
        precise = torch.promote_types(self.x.dtype, torch.float32)
        self.of_x = self.grad[self.running[0] :].sum(0, dtype=precise)
        self.of_weight, self.of_bias, self.of_slope = (
            None if part is None else torch.zeros_like(part) for part in (weight, bias, slope)
        )
        self.of_state = self.of_messages = self.grad[:0]

    def through_activation(self, step: int) -> None:
        """From the messages after a step to its state, and to what was added there: x, bias."""
        count, going_on = self.running[step : step + 2]
        ends = self.grad[going_on:count]
        grad = ends if not going_on else self.of_messages
        if 0 < going_on < count:
            grad = torch.cat([self.of_messages, ends])
        if self.masks:
            grad = grad.clone() if not going_on else grad
            self.plan.drop_all(grad, self.masks, step)
        slopes = _first(self.slopes, count)
        self.of_state, part = activated_gradient(self.plan.activation, self.states[step], slopes, grad)
        if self.of_slope is not None and part is not None:
            self.of_slope[:count] += part.sum((1, 2), dtype=self.of_slope.dtype)
        if self.of_bias is not None:
            self.of_bias[:count] += self.of_state.sum(1, dtype=self.of_bias.dtype)
        if not self.plan.dense:
            self.of_x += self.of_state.sum(0, dtype=self.of_x.dtype)

    def through_product(self, step: int) -> None:
        """From the state of a step to the messages before it, and to the weights.

        With S the sum over neighbours, the gradient of W in S m W is m' S' g and that of m is S' g W'.
        """
        count = self.running[step]
        around = self.plan.sums.transposed(self.of_state.transpose(0, 1).contiguous()).transpose(0, 1)
        messages = activated(self.plan.activation, self.states[step - 1][:count], _first(self.slopes, count))
        self.plan.drop_all(messages, self.masks, step - 1)
        add_product(self.of_weight[:count], messages.transpose(1, 2), around)
        factors = self.factors[:count].transpose(1, 2)
        self.of_messages = torch.bmm(around, factors, out=_empty(self.x, count, by_row=True))

    def finish(self) -> tuple[Tensor | None, ...]:
        """Gradients of x, weight, bias, slope and plan.

        All heads share the input of the first step, so its gradient goes through the sum once for all of them.
        """
        count, (n, D) = self.running[0], self.x.shape
        if count:
            add_product(self.of_weight[:count], self.summed.T.expand(count, D, n), self.of_state)
            by_row = self.of_state.transpose(0, 1).reshape(n, count * D)
            of_sum = by_row @ self.factors[:count].transpose(1, 2).reshape(count * D, D)
            self.of_x += self.plan.sums.transposed(of_sum)
        back = None if self.order is None else self.order.argsort()
        of_heads = (
            None if part is None else _sorted(part, back, None)
            for part in (self.of_weight, self.of_bias, self.of_slope)
        )
        return (self.of_x.to(self.x.dtype), *of_heads, None)


def _sorted(part: Tensor, order: Tensor | None, dtype: torch.dtype | None) -> Tensor:
    """Rows of a parameter (K, ...) in another order, in another precision; itself where neither changes."""
    return (part if order is None else part.index_select(0, order)).to(dtype or part.dtype)


def _first(slopes: Tensor | None, count: int) -> Tensor | None:
    return None if slopes is None else slopes[:count]


def _empty(like: Tensor, count: int, by_row: bool) -> Tensor:
    """Memory for a tensor (heads, n, D), row by row or head by head."""
    n, D = like.shape
    return like.new_empty(n, count, D).transpose(0, 1) if by_row else like.new_empty(count, n, D)
