"""Every built-in objective of pre-training.

An objective is called with a model and a batch, as any `zoo.tasks.Objective`; `make_model(learner, atoms, bonds)` gives
the learner's encoder the heads for vocabularies of atoms and bonds, and `motifs` says whether functional groups are
labels too.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.catalog.references import GROVER
from zoo.registry.registry import Entry, Registry

PRETRAINING: Registry[Any] = Registry("objective of pre-training")

PRETRAINING.add(
    Entry(
        "context_and_motifs",
        "zoo.pretraining.objectives:ContextAndMotifs",
        "GROVER's: words around atoms and bonds, functional groups",
        GROVER,
    )
)
PRETRAINING.add(
    Entry(
        "masked_atoms",
        "zoo.pretraining.objectives:MaskedAtoms",
        "Words of atoms whose features are hidden, for any model with states of atoms",
        "Hu et al. 2020, arXiv:1905.12265",
    )
)
