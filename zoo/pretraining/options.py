"""Options of pre-training, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PretrainingOptions:
    """Options of pre-training.

    Args:
        objective: What is learned: "context_and_motifs" (GROVER) or "masked_atoms" (any model); None decides by the
            model.
        mask_inputs: Hide the features of the atoms and bonds that are asked for; the released GROVER does not.
        min_count: Words of the vocabularies occur at least this often in the corpus.
        max_words: Most words of a vocabulary; None takes all.
        valid_share: Share of the corpus, above 0 and below 1, on which the loss is measured after each epoch.

    Raises:
        ValueError: An option out of its range.
    """

    objective: str | None = None
    mask_inputs: bool = False
    min_count: int = 1
    max_words: int | None = None
    valid_share: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.valid_share < 1:
            raise ValueError(f"valid_share={self.valid_share}: give a share above 0 and below 1")
        if self.min_count < 1:
            raise ValueError(f"min_count={self.min_count}: give a number of at least 1")
        if self.max_words is not None and self.max_words < 3:
            raise ValueError(f"max_words={self.max_words}: give at least 3, two of them are special")
