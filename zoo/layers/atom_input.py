"""First layer of transformers on atoms: features and structural encodings to one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.message_passing import graph_of_nodes


class AtomInput(nn.Module):
    """Sum of linear maps of an atom's features, its random-walk returns and its Laplacian vectors.

    Args:
        atom_size: Number A of atom features.
        walk_size: Number K of `graph.ndata["walk_returns"]`; 0 does not read them.
        laplacian_size: Number L of `graph.ndata["laplacian"]`; 0 does not read them.
        hidden_size: Width D.
        sign_flips: In training flip the sign of each Laplacian vector of each molecule at random (torch's generator): a
            sign has no meaning and a model must not learn one.

    Raises:
        ValueError: In `forward`, where the batch has not the encodings that the layer was built for.

    Example:
        >>> from featurizers import StructuralFeaturizer
        >>> AtomInput(74, 16, 0, 32)(StructuralFeaturizer(walk_steps=16)("CCO")).shape
        torch.Size([3, 32])
    """

    def __init__(
        self, atom_size: int, walk_size: int, laplacian_size: int, hidden_size: int, sign_flips: bool = True
    ) -> None:
        super().__init__()
        self.sign_flips = sign_flips
        self.feats = nn.Linear(atom_size, hidden_size)
        sizes = {"walk_returns": walk_size, "laplacian": laplacian_size}
        self.sizes = {name: size for name, size in sizes.items() if size}
        self.encodings = nn.ModuleDict(
            {name: nn.Linear(size, hidden_size, bias=False) for name, size in self.sizes.items()}
        )

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        dtype = self.feats.weight.dtype
        atoms = self.feats(molecules.atom_feats.to(dtype))
        for name, linear in self.encodings.items():
            encoding = encodings_of(molecules, name, self.sizes[name]).to(dtype)
            if name == "laplacian" and self.training and self.sign_flips:
                encoding = encoding * random_signs(molecules, encoding)
            atoms = atoms + linear(encoding)
        return atoms


def encodings_of(molecules: MoleculeGraph, name: str, size: int) -> Tensor:
    """Structural encodings of the atoms (N, `size`).

    Raises:
        ValueError: The batch has none of this name, or of another width.
    """
    encoding = molecules.graph.ndata.get(name)
    if encoding is None or encoding.shape[1] != size:
        found = None if encoding is None else tuple(encoding.shape)
        raise ValueError(
            f"the model needs {name!r} (N, {size}) of the atoms and the batch has {found}: "
            "use the featurizer and the options that the model was built for"
        )
    return encoding


def random_signs(molecules: MoleculeGraph, encoding: Tensor) -> Tensor:
    """1 or -1 for each molecule and column, the same for all atoms of a molecule (N, L)."""
    # Drawn on the CPU, so that a seed means the same on every device.
    signs = torch.randint(0, 2, (molecules.batch_size, encoding.shape[1])) * 2 - 1
    return signs.to(encoding).index_select(0, graph_of_nodes(molecules.graph))
