"""Encoders with the heads that pre-training needs; fine-tuning takes the encoder and leaves the heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featurizers import MoleculeGraph
from zoo.layers.grover_encoder import Embeddings, GroverEncoder
from zoo.layers.message_passing import mean_nodes, mean_rows
from zoo.learners.embedding import atom_states
from zoo.pretraining.words import MOTIFS

ATOMS, BONDS = ("atom_from_atom", "atom_from_bond"), ("bond_from_atom", "bond_from_bond")


class BondWords(nn.Module):
    """Scores of words from both directions of a bond.

    Args:
        hidden_size: Width D.
        num_words: W.
    """

    def __init__(self, hidden_size: int, num_words: int) -> None:
        super().__init__()
        self.forth, self.back = nn.Linear(hidden_size, num_words), nn.Linear(hidden_size, num_words)

    def forward(self, bonds: Tensor) -> Tensor:
        """Map directed bonds (E, D), of which 2k and 2k + 1 are one bond, to scores (E / 2, W)."""
        return self.forth(bonds[0::2]) + self.back(bonds[1::2])


class GroverPretraining(nn.Module):
    """GROVER with the heads of its pre-training: words of atoms, words of bonds, functional groups.

    Args:
        encoder: With the branches for bonds.
        hidden_size: Its width D.
        num_atom_words: V.
        num_bond_words: W.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), section 4.2 and the released code.
    """

    def __init__(self, encoder: GroverEncoder, hidden_size: int, num_atom_words: int, num_bond_words: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.atom_words = nn.ModuleDict({name: nn.Linear(hidden_size, num_atom_words) for name in ATOMS})
        self.bond_words = nn.ModuleDict({name: BondWords(hidden_size, num_bond_words) for name in BONDS})
        self.motifs = nn.ModuleDict({name: nn.Linear(hidden_size, len(MOTIFS)) for name in (*ATOMS, *BONDS)})

    def forward(self, molecules: MoleculeGraph) -> dict[str, dict[str, Tensor]]:
        """Score a batch.

        Returns:
            By head and branch: "atoms" log-probabilities of words (N, V), "bonds" (E / 2, W), "motifs" logits (B, 85).
            An encoder with the released padding adds a row for it to the first two.
        """
        states = self.encoder(molecules, bonds=True, padding=True)
        padded = self.encoder.released_padding
        return {
            "atoms": {name: head(getattr(states, name)).log_softmax(-1) for name, head in self.atom_words.items()},
            "bonds": {name: self._bonds(head, getattr(states, name), padded) for name, head in self.bond_words.items()},
            "motifs": {name: head(self._pool(name, states, molecules)) for name, head in self.motifs.items()},
        }

    @staticmethod
    def _bonds(head: nn.Module, bonds: Tensor, padded: bool) -> Tensor:
        if padded:  # the padding is one row, which stands for both directions
            bonds = torch.cat([bonds, bonds[-1:]])
        return head(bonds).log_softmax(-1)

    @staticmethod
    def _pool(name: str, states: Embeddings, molecules: MoleculeGraph) -> Tensor:
        rows = getattr(states, name)
        if name in ATOMS:
            return mean_nodes(molecules.graph, rows[: molecules.graph.num_nodes()])
        return mean_rows(rows[: molecules.graph.num_edges()], molecules.graph.batch_num_edges())


class AtomPretraining(nn.Module):
    """Any encoder of atoms with a head for their words.

    Args:
        encoder: Module whose method `embed_atoms`, or else whose output, has a row for each atom (N, D).
        hidden_size: Its width D.
        num_words: V.
    """

    def __init__(self, encoder: nn.Module, hidden_size: int, num_words: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.atom_words = nn.Linear(hidden_size, num_words)

    def forward(self, molecules: MoleculeGraph) -> dict[str, dict[str, Tensor]]:
        """Score a batch: {"atoms": {"encoder": log-probabilities of words (N, V)}}."""
        return {"atoms": {"encoder": self.atom_words(atom_states(self.encoder, molecules)).log_softmax(-1)}}
