"""The steps of message passing of all heads as one differentiable function that keeps its memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo.layers.activations import activate, activation_gradient
from zoo.layers.head_plan import Block, Plan


class HeadSteps(torch.autograd.Function):
    """`m <- dropout(act(x + sum(m) W_k + b_k))`, repeated for every head as often as the plan says.

    The heads of a block take all their steps before those of the next, so that what passes between sum, product and
    activation stays in a processor's cache. States z (before the activation) are kept for the gradient, (heads, n, D)
    for each step; messages are computed again. In a block rows come before heads where neighbours are summed, heads
    before rows where each head is multiplied: the product reads one and writes the other.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, slope: Tensor | None, plan: Plan
    ) -> tuple[Tensor, ...]:
        """Run the steps.

        Args:
            ctx: Where the gradient finds what it needs.
            x: Input (n, D), in the precision of the products.
            weight: (K, D, D), in any precision; cast once.
            bias: (K, D), or `None`.
            slope: (K,) if the activation is piecewise linear, else `None`.
            plan: The rest.

        Returns:
            Last messages of the heads, in `plan.groups` tensors (K / groups, n, D).
        """
        factors, masks = weight.to(x.dtype), plan.draw_masks(x)
        inputs = [plan.passage[step].of_input(x) for step in range(max(plan.steps))]
        summed = plan.sums(x) if inputs else x
        ends = inputs[-1] if inputs else x
        results = tuple(x.new_empty(len(weight) // plan.groups, *ends.shape) for _ in range(plan.groups))
        states: list[Tensor] = []
        for block in plan.blocks():
            last = results[block.group][block.inside]
            if block.steps == 0:
                last.copy_(x)
            room = x.new_empty(block.size * max((part.numel() for part in inputs), default=0))
            rows = summed.unsqueeze(1).expand(-1, block.size, -1)
            for step, added in enumerate(inputs[: block.steps]):
                state = added.new_empty(block.size, *added.shape)
                multiply(added, rows, factors[block.heads], plan, state)
                if bias is not None:
                    state.add_(bias[block.heads].unsqueeze(1))
                states += [state] if plan.keep else []
                ends_here = step == block.steps - 1
                messages = last.transpose(0, 1) if ends_here else rows_of(room, state)
                activate(plan.activation, state, _part(slope, block), messages.transpose(0, 1))
                plan.drop(messages.transpose(0, 1), masks, step, block)
                rows = rows if ends_here else plan.passage[step + 1].sums(messages)
        ctx.plan, ctx.num_states = plan, len(states)
        ctx.save_for_backward(x, summed, factors, weight, bias, slope, *states, *masks)
        return results

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """Gradients of x, weight, bias and slope from those of the messages."""
        steps = _Backward(ctx.plan, ctx.saved_tensors, ctx.num_states)
        for block in ctx.plan.blocks():
            steps.through_block(block, grads[block.group][block.inside])
        return steps.finish()


class _Backward:
    """The gradients of `HeadSteps`, block by block, each from its last step to its first.

    Sums over heads and steps are in single precision at least.
    """

    def __init__(self, plan: Plan, saved: Sequence[Tensor], num_states: int) -> None:
        self.x, self.summed, self.factors, weight, bias, self.slope, *rest = saved
        self.plan = plan
        self.states, self.masks = iter(rest[:num_states]), rest[num_states:]
        self.of_x = torch.zeros_like(self.x, dtype=torch.promote_types(self.x.dtype, torch.float32))
        self.of_inputs = [self._like_input(step) for step in range(max(plan.steps))]
        self.of_sum = torch.zeros_like(self.summed, dtype=self.of_x.dtype)
        self.of_weight = torch.zeros_like(weight)
        self.of_bias = None if bias is None else torch.zeros_like(bias)
        self.of_slope = None if self.slope is None else torch.zeros_like(self.slope)

    def _like_input(self, step: int) -> Tensor:
        """Return the tensor that sums up the gradient of the rows that are added after a step."""
        inputs = self.plan.passage[step].inputs
        return self.of_x if inputs is None else self.of_x.new_zeros(len(inputs), self.x.shape[1])

    def through_block(self, block: Block, grad: Tensor) -> None:
        """Add the gradients of some heads, given that of their last messages (heads, n, D)."""
        if block.steps == 0:
            self.of_x += grad.sum(0)
            return
        size, D = block.size, self.x.shape[1]
        states = [next(self.states) for _ in range(block.steps)]
        of_weight, factors = self.of_weight[block.heads], self.factors[block.heads].transpose(1, 2)
        rooms = [self.x.new_empty(max(state.numel() for state in states)) for _ in range(3)]
        grad = grad.clone(memory_format=torch.contiguous_format) if self.masks else grad.contiguous()
        for step in reversed(range(block.steps)):
            self.plan.drop(grad, self.masks, step, block)
            of_state = rows_of(rooms[0], states[step])
            scratch = rows_of(rooms[1], states[step]).view_as(states[step])
            self._through_activation(block, step, states[step], grad, of_state.transpose(0, 1), scratch)
            if step == 0:
                break
            around = self.plan.passage[step].sums.transposed(of_state).transpose(0, 1)
            messages = rows_of(rooms[1], states[step - 1])
            activate(self.plan.activation, states[step - 1], _part(self.slope, block), messages.transpose(0, 1))
            self.plan.drop(messages.transpose(0, 1), self.masks, step - 1, block)
            # With S the sum over neighbours, the gradient of W in S m W is m' S' g and that of m is S' g W'.
            add_product(of_weight, messages.permute(1, 2, 0), around)
            grad = torch.bmm(around, factors, out=rows_of(rooms[2], states[step - 1]).view_as(around))
        # All heads share the input of the first step, so its gradient goes through the sum once for all of them.
        add_product(of_weight, self.summed.T.expand(size, D, -1), of_state.transpose(0, 1))
        add_product(self.of_sum, of_state.flatten(1), factors.reshape(size * D, D))

    def _through_activation(
        self, block: Block, step: int, state: Tensor, grad: Tensor, of_state: Tensor, scratch: Tensor
    ) -> None:
        """From the messages after a step to its state (heads, n, D), and to what was added there: x, bias."""
        part = activation_gradient(self.plan.activation, state, _part(self.slope, block), grad, of_state, scratch)
        if self.of_slope is not None and part is not None:
            self.of_slope[block.heads] += part
        if self.of_bias is not None:
            self.of_bias[block.heads] += of_state.sum(1)
        if not self.plan.dense:
            self.of_inputs[step] += of_state[0] if block.size == 1 else of_state.sum(0)

    def finish(self) -> tuple[Tensor | None, ...]:
        """Gradients of x, weight, bias, slope and plan."""
        for step, part in enumerate(self.of_inputs):
            inputs = self.plan.passage[step].inputs
            if inputs is not None:
                self.of_x.index_add_(0, inputs, part)
        if self.of_inputs:
            self.of_x += self.plan.sums.transposed(self.of_sum)
        return self.of_x.to(self.x.dtype), self.of_weight, self.of_bias, self.of_slope, None


def rows_of(room: Tensor, state: Tensor) -> Tensor:
    """Memory for rows (n, heads, D), of a state's (heads, n, D) size, at the beginning of some that is kept."""
    heads, n, D = state.shape
    return room[: state.numel()].view(n, heads, D)


def _part(slope: Tensor | None, block: Block) -> Tensor | None:
    return None if slope is None else slope[block.heads]


def multiply(x: Tensor, rows: Tensor, weight: Tensor, plan: Plan, out: Tensor) -> None:
    """Write the states (heads, n, D) of summed messages (n, heads, D), without the bias, to `out`."""
    if plan.dense:
        torch.bmm(rows.transpose(0, 1), weight, out=out)
    else:
        torch.baddbmm(x.expand_as(out), rows.transpose(0, 1), weight, out=out)


def add_product(total: Tensor, first: Tensor, second: Tensor) -> None:
    """Add a product of matrices, or one for each head, to a total that may be more precise."""
    if total.dtype != first.dtype:
        total += first @ second
    elif total.dim() == 2:
        total.addmm_(first, second)
    else:
        total.baddbmm_(first, second)
