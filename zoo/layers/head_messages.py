"""Message passing of many heads at once, each with its own weights and depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.activations import Activation
from zoo.layers.head_plan import Plan, advances_jointly
from zoo.layers.head_steps import HeadSteps
from zoo.layers.joint_steps import JointSteps
from zoo.layers.passage import Passage
from zoo.layers.row_sums import RowSums
from zoo.layers.tracing import is_exported

DYNAMIC_DEPTHS = (None, "truncnorm", "uniform")
DEEPEST = 3
"""How far a drawn depth may be from the one that is given."""
CACHED_NUMBERS = 1 << 16
"""Messages (rows times width times heads) that one thread of a CPU advances together: they stay in its cache."""
SHARED_NUMBERS = 1 << 19
"""Messages that several threads advance together: each takes some of the heads, where it would share one head's."""


class HeadMessages(nn.Module):
    """K message passings over the same graph, as one batched operation.

    Head k starts from the input x and repeats `m <- dropout(act(x + W_k sum(m)))` (depth - 1 times), where `sum` adds
    up neighbours. With `dense` the input is not added again.

    Args:
        hidden_size: Width D of input and messages.
        num_heads: Number K of message passings.
        depth: Number of states including the input, at least 1.
        activation: Name of the activation; each head has its own slope if it learns one.
        dropout: Probability of dropping a message value, in [0, 1).
        bias: Add a bias after the product with W.
        dense: Leave out the input from the second state on.
        dynamic_depth: In training draw the depth of every head anew: "truncnorm" from a normal distribution around
            `depth` with standard deviation 1, cut at three and rounded down; "uniform" from `depth - 3` to `depth + 2`.
            `None` always uses `depth`. Draws come from torch's default CPU generator.
        num_groups: Divide the heads into so many results.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), section 4.1 (dynamic message passing, dyMPN). Differs from the authors'
        code in drawing from torch's generator instead of numpy's, and in advancing all heads together.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        depth: int,
        activation: str,
        dropout: float = 0.0,
        bias: bool = False,
        dense: bool = False,
        dynamic_depth: str | None = None,
        num_groups: int = 1,
    ) -> None:
        super().__init__()
        self.num_heads, self.depth, self.dynamic_depth = num_heads, depth, dynamic_depth
        self.dropout, self.dense, self.num_groups = dropout, dense, num_groups
        # weight[k] multiplies from the right: a row m of messages becomes m @ weight[k].
        self.weight = nn.Parameter(torch.empty(num_heads, hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(num_heads, hidden_size)) if bias else None
        self.activation = Activation(activation, num_heads)
        for weight in self.weight:
            nn.init.xavier_normal_(weight.data)

    @property
    def draws_depths(self) -> bool:
        """Return whether each head draws its depth anew."""
        return self.training and self.dynamic_depth is not None

    @property
    def most_steps(self) -> int:
        """Steps that a head takes at most."""
        return self.depth - 1 + (DEEPEST if self.draws_depths else 0)

    def forward(self, x: Tensor, passage: Passage) -> tuple[Tensor, ...]:
        """Run all heads.

        Args:
            x: Input (n, D) of atoms or bonds.
            passage: What adds up neighbours at each step; it ends with m rows.

        Returns:
            Last messages, in `num_groups` tensors (m, K / num_groups, D).
        """
        if is_exported():
            return self._written_out(x, passage[0].sums).tensor_split(self.num_groups, dim=1)
        if advances_jointly(x):
            return tuple(heads.transpose(0, 1) for heads in self.joint(x, passage).unflatten(0, (self.num_groups, -1)))
        x, plan = self._in_precision(x), self._plan(x, passage)
        slopes = self.activation.slopes(x, self.num_heads)
        with torch.autocast(x.device.type, enabled=False):  # the function casts by itself
            groups = HeadSteps.apply(x, self.weight, self.bias, slopes, plan)
        return tuple(group.transpose(0, 1) for group in groups)

    def _written_out(self, x: Tensor, sums: RowSums) -> Tensor:
        """The last messages of all heads (n, K, D) in plain operations, as a trace can hold them; no dropout."""
        messages, summed = x.unsqueeze(1).expand(-1, self.num_heads, -1), sums(x).unsqueeze(1)
        for step in range(self.depth - 1):
            rows = sums(messages) if step else summed.expand_as(messages)
            states = (rows.transpose(0, 1) @ self.weight).transpose(0, 1)
            states = states if self.dense else states + x.unsqueeze(1)
            messages = self.activation(states if self.bias is None else states + self.bias)
        return messages

    def joint(self, x: Tensor, passage: Passage) -> Tensor:
        """Run all heads together on all rows: the last messages (K, n, D), one head after another in memory."""
        x = self._in_precision(x)
        with torch.autocast(x.device.type, enabled=False):
            return JointSteps.apply(x, self.weight, self.bias, self.activation.weight, self._plan(x, passage))

    def _in_precision(self, x: Tensor) -> Tensor:
        """The input in the precision of the products."""
        device = x.device.type
        return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x

    def _plan(self, x: Tensor, passage: Passage) -> Plan:
        return Plan(
            steps=self._draw_steps().tolist(),
            passage=passage,
            activation=self.activation.name,
            dropout=self.dropout if self.training else 0.0,
            dense=self.dense,
            groups=self.num_groups,
            together=self._heads_together(passage.most_rows(x) * x.shape[1]),
            keep=torch.is_grad_enabled(),
        )

    def _heads_together(self, numbers: int) -> int:
        """Choose as many heads as are best advanced together, given the numbers of each."""
        most = CACHED_NUMBERS if torch.get_num_threads() == 1 else SHARED_NUMBERS
        return max(1, most // max(numbers, 1))

    def _draw_steps(self) -> Tensor:
        """Number of steps of every head (K,), int64 on the CPU."""
        if not self.draws_depths:
            depths = torch.full((self.num_heads,), self.depth)
        elif self.dynamic_depth == "uniform":
            depths = torch.randint(self.depth - DEEPEST, self.depth + DEEPEST, (self.num_heads,))
        else:
            draws, most = torch.empty(self.num_heads), float(DEEPEST)
            nn.init.trunc_normal_(draws, float(self.depth), 1.0, self.depth - most, self.depth + most)
            depths = draws.long()
        return (depths - 1).clamp(min=0)
