"""GROVER's encoder: a stream of atoms and a stream of directed bonds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.activations import Activation
from zoo.layers.feed_forward import FeedForward
from zoo.layers.grover_block import GroverBlock
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.passage import Rows
from zoo.layers.surroundings import Sums, Surroundings, may_share


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of atoms and directed bonds; each field names its objects and its stream.

    Args:
        atom_from_atom: (N, D).
        atom_from_bond: (N, D).
        bond_from_atom: (E, D), or `None` unless asked for.
        bond_from_bond: (E, D), or `None` unless asked for.
    """

    atom_from_atom: Tensor
    atom_from_bond: Tensor
    bond_from_atom: Tensor | None = None
    bond_from_bond: Tensor | None = None


class InputLayer(nn.Module):
    """First layer of a stream: `dropout(norm(act(W x)))`, for atoms x or for bonds (source atom, bond) x.

    The product of a bond is made of two, of its atom and of itself, so that each atom is multiplied once and not once
    for each of its bonds.
    """

    def __init__(
        self, atom_size: int, bond_size: int, hidden_size: int, activation: str, dropout: float, bias: bool
    ) -> None:
        super().__init__()
        self.atom_size = atom_size
        self.linear = nn.Linear(atom_size + bond_size, hidden_size, bias=bias)
        self.activation = Activation(activation)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, atom_feats: Tensor, bond_feats: Tensor | None = None, source: Tensor | None = None) -> Tensor:
        """Map features (N, A), and for bonds (E, F) with their source atoms (E,), to states (N, D) or (E, D)."""
        if bond_feats is None or source is None:
            x = self.linear(atom_feats)
        else:
            of_atoms = atom_feats @ self.linear.weight[:, : self.atom_size].T
            of_bonds = F.linear(bond_feats, self.linear.weight[:, self.atom_size :], self.linear.bias)
            x = of_bonds + of_atoms.index_select(0, source)
        return self.dropout(self.norm(self.activation(x)))


class OutputLayer(nn.Module):
    """Last layer of a branch: `dropout(norm(FFN(features, sum of neighbours)))`."""

    def __init__(self, feature_size: int, hidden_size: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.feed_forward = FeedForward([feature_size + hidden_size, 4 * hidden_size, hidden_size], activation, dropout)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, feats: Tensor, sums: Tensor, rows: Tensor | None = None) -> Tensor:
        """Map features (n, F) and sums of neighbours (n, D) to embeddings (n, D); see `map_parts` for `rows`."""
        return self.dropout(self.norm(self.feed_forward.of_parts(feats, sums, rows)))


class GroverEncoder(nn.Module):
    """Atoms and directed bonds in two independent streams of blocks, combined with their features at the end.

    Args:
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        hidden_size: Width D.
        num_blocks: Blocks of each stream, at least 1.
        bond_outputs: Also have the two branches that describe bonds; only pre-training uses them.
        released_padding: See `Neighborhood.padded`.
        activation: Name of the activation.
        dropout: Probability of dropping a value, in [0, 1).
        bias: Biases in the linear layers outside the final feed-forward networks, which always have them.
        block_options: `num_heads`, `depth`, `dense`, `dynamic_depth` of `GroverBlock`.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), figure 2. Differs from the authors' code in having no padding rows (unless
        asked for) and no layers without a use.
    """

    def __init__(
        self,
        atom_size: int,
        bond_size: int,
        hidden_size: int,
        num_blocks: int,
        *,
        activation: str,
        dropout: float = 0.0,
        bias: bool = False,
        bond_outputs: bool = False,
        released_padding: bool = False,
        **block_options: Any,
    ) -> None:
        super().__init__()
        self.released_padding = released_padding
        common: dict[str, Any] = {
            "hidden_size": hidden_size,
            "activation": activation,
            "dropout": dropout,
            "bias": bias,
        }
        self.atom_input = InputLayer(atom_size, 0, **common)
        self.bond_input = InputLayer(atom_size, bond_size, **common)
        self.atom_blocks = nn.ModuleList(GroverBlock(**common, **block_options) for _ in range(num_blocks))
        self.bond_blocks = nn.ModuleList(GroverBlock(**common, **block_options) for _ in range(num_blocks))
        output_names = ["atom_from_atom", "atom_from_bond"]
        if bond_outputs:
            output_names += ["bond_from_atom", "bond_from_bond"]
        widths = {"atom": atom_size, "bond": atom_size + bond_size}
        self.outputs = nn.ModuleDict(
            {name: OutputLayer(widths[name[:4]], hidden_size, activation, dropout) for name in output_names}
        )

    def forward(self, molecules: MoleculeGraph, bonds: bool = False, padding: bool = False) -> Embeddings:
        """Encode a batch.

        Args:
            molecules: N atoms and E directed bonds.
            bonds: Describe bonds too; needs `bond_outputs`.
            padding: Leave the row of the released padding at the end of each output, where there is one.
        """
        if bonds and "bond_from_atom" not in self.outputs:
            raise ValueError('this model has no branches for bonds: build it with embedding_output="both"')
        around, atom_feats, bond_feats = self._inputs(molecules)
        surroundings = Surroundings(around, atom_feats, bond_feats, may_share(self), self._work)
        atoms, atom_rows = self._atom_states(surroundings)
        edges, bond_rows = self._bond_states(surroundings)
        kept = int(padding and self.released_padding)
        N, E = molecules.graph.num_nodes() + kept, molecules.graph.num_edges() + kept
        of_atoms = self._describe("atom_from_atom", surroundings, atoms, *surroundings.sums_of_atoms(atom_rows))
        of_bonds = self._describe("atom_from_bond", surroundings, edges, *surroundings.sums_of_bonds(bond_rows))
        if not bonds:
            return Embeddings(of_atoms[:N], of_bonds[:N])
        atoms, edges = atom_rows.spread(atoms), bond_rows.spread(edges)
        feats = torch.cat([atom_feats.index_select(0, around.source), bond_feats], dim=1)
        return Embeddings(
            of_atoms[:N],
            of_bonds[:N],
            self.outputs["bond_from_atom"](feats, around.sum_atoms_behind(atoms))[:E],
            self.outputs["bond_from_bond"](feats, around.sum_bonds(edges))[:E],
        )

    @property
    def _work(self) -> int:
        """Multiplications for each bond: of all heads in each step and in attention."""
        messages = [cast(GroverBlock, block).messages for block in self.bond_blocks]
        return sum(each.weight.numel() * each.depth for each in messages)

    def _atom_states(self, surroundings: Surroundings) -> tuple[Tensor, Rows]:
        """Hidden states of atoms after all blocks, and which atoms they are of."""
        passages = surroundings.atom_passages(*_depths(self.atom_blocks))
        atoms = self.atom_input(passages[0].first.choose(surroundings.atom_feats))
        for block, passage in zip(self.atom_blocks, passages, strict=True):
            atoms = block(atoms, passage)
        return atoms, passages[-1].last

    def _bond_states(self, surroundings: Surroundings) -> tuple[Tensor, Rows]:
        """Hidden states of directed bonds after all blocks, and which bonds they are of."""
        passages = surroundings.bond_passages(*_depths(self.bond_blocks))
        first = passages[0].first
        atom_feats, source = surroundings.feats_of(first.choose(surroundings.around.source))
        edges = self.bond_input(atom_feats, first.choose(surroundings.bond_feats), source)
        for block, passage in zip(self.bond_blocks, passages, strict=True):
            edges = block(edges, passage)
        return edges, passages[-1].last

    def _describe(self, name: str, surroundings: Surroundings, states: Tensor, atoms: Rows, sums: Sums) -> Tensor:
        """Embeddings (N, D) of all atoms, of which some are computed, from the states of what each of these sums."""
        feats, kinds = surroundings.feats_of(atoms.rows)
        return atoms.spread(self.outputs[name](feats, sums(states), kinds))

    def _inputs(self, molecules: MoleculeGraph) -> tuple[Neighborhood, Tensor, Tensor]:
        dtype = self.atom_input.linear.weight.dtype
        atom_feats, bond_feats = molecules.atom_feats.to(dtype), molecules.bond_feats.to(dtype)
        if not self.released_padding:
            return Neighborhood.of(molecules), atom_feats, bond_feats
        return Neighborhood.padded(molecules), F.pad(atom_feats, (0, 0, 0, 1)), F.pad(bond_feats, (0, 0, 0, 1))


def _depths(blocks: nn.ModuleList) -> tuple[list[int], bool]:
    """Steps that each block takes at most, and whether heads take different numbers of them."""
    messages = [cast(GroverBlock, block).messages for block in blocks]
    return [each.most_steps for each in messages], any(each.draws_depths for each in messages)
