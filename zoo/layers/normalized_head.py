"""The head of GCN and GAT: one hidden layer and batch normalization."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.layers.batch_norm import BatchNorm


class NormalizedHead(nn.Module):
    """`linear(batch_norm(relu(linear(dropout(x)))))`.

    Args:
        input_size: Width R of the vectors.
        hidden_size: Width of the hidden layer.
        num_tasks: Number T of tasks.
        dropout: Probability of dropping an input value, in [0, 1).

    Reference:
        DGL-LifeSci's `MLPPredictor` (Li et al. 2021, arXiv:2106.14232), whose names the parameters have.
    """

    def __init__(self, input_size: int, hidden_size: int, num_tasks: int, dropout: float) -> None:
        super().__init__()
        self.predict = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            BatchNorm(hidden_size),
            nn.Linear(hidden_size, num_tasks),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (B, R) to scores (B, T)."""
        return self.predict(vectors)
