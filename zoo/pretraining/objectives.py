"""Objectives of pre-training: words around atoms and bonds, and functional groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featurizers import MoleculeGraph
from zoo.data import Batch
from zoo.learners import Learner
from zoo.learners.embedding import atom_states
from zoo.models.grover import Grover
from zoo.pretraining import masks
from zoo.pretraining.models import AtomPretraining, GroverPretraining
from zoo.pretraining.vocabulary import NOTHING, Vocabulary
from zoo.tasks import Loss
from zoo.training.modes import eval_mode

Outputs = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class Targets:
    """Labels of a batch; 0 means none.

    Args:
        atoms: Word of each atom (N,), with a 0 for the released padding at the end where there is one.
        bonds: Word of each bond (E / 2,), the same.
        motifs: Functional groups (B, 85), 0 or 1; `None` where they are not asked for.
    """

    atoms: Tensor
    bonds: Tensor | None = None
    motifs: Tensor | None = None


@dataclass(frozen=True)
class ContextAndMotifs:
    """GROVER's objective: the words of a drawn share of atoms and bonds, and the functional groups of the molecule.

    Each is predicted from the atoms' and from the bonds' stream; the streams are pulled together by the squared
    distance of their (log-)probabilities.

    Args:
        distance_coefficient: Weight of the distances of words; that of the groups has weight 1, as published.
        mask_inputs: Hide the features of what is drawn. The released code hides labels only, so that the answer can be
            read from the features.
        share: Share of the atoms and bonds of a molecule that is drawn.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), section 4.2; weights and distances as in the released code.
    """

    motifs: ClassVar[bool] = True
    distance_coefficient: float = 0.1
    mask_inputs: bool = False
    share: float = 0.15

    @staticmethod
    def make_model(learner: Learner, atoms: Vocabulary, bonds: Vocabulary) -> nn.Module:
        """Give the encoder of a GROVER its heads.

        Raises:
            TypeError: Another model.
        """
        model = learner.model
        if not isinstance(model, Grover):
            raise TypeError(
                f"objective context_and_motifs is for GROVER; for {learner.recipe.model!r} choose masked_atoms"
            )
        return GroverPretraining(model.encoder, model.config.hidden_size, len(atoms), len(bonds))

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """Draw atoms and bonds, and compare what the model says of them with their words."""
        graph = batch.graph
        atoms, bonds = (draw_on(graph, counts, self.share) for counts in counts_of(graph))
        groups = graph.extra["motifs"]
        with hidden(graph, atoms, bonds.repeat_interleave(2)) if self.mask_inputs else unchanged():
            outputs = model(graph)
        words = (graph.graph.ndata["word"] * atoms, graph.graph.edata["word"][0::2] * bonds)
        of_atoms, of_bonds = pad_to(words[0], outputs["atoms"]), pad_to(words[1], outputs["bonds"])
        return self.compare(outputs, Targets(of_atoms, of_bonds, groups), graph)

    def compare(self, outputs: Outputs, targets: Targets, graph: MoleculeGraph) -> Loss:
        """Loss of outputs, see `GroverPretraining.forward`, on given labels."""
        assert targets.bonds is not None
        assert targets.motifs is not None
        atoms, bonds, groups = ([*outputs[head].values()] for head in ("atoms", "bonds", "motifs"))
        wanted = targets.motifs.to(groups[0].dtype)
        near = [torch.sigmoid(scores) for scores in groups]
        parts = {
            "atom_words": sum_of(word_loss(scores, targets.atoms) for scores in atoms),
            "bond_words": sum_of(word_loss(scores, targets.bonds) for scores in bonds),
            "motifs": sum_of(F.binary_cross_entropy_with_logits(scores, wanted) for scores in groups),
            "atom_distance": self.distance_coefficient * F.mse_loss(atoms[0], atoms[1]),
            "bond_distance": self.distance_coefficient * F.mse_loss(bonds[0], bonds[1]),
            "motif_distance": F.mse_loss(near[0], near[1]) + F.mse_loss(near[2], near[3]),
        }
        each = F.binary_cross_entropy_with_logits(groups[0].detach(), wanted, reduction="none").mean(1)
        each = each + per_molecule(atoms[0], targets.atoms, graph)
        shown = {name: part.detach() for name, part in parts.items()}
        return Loss(sum_of(parts.values()), each, shown)


@dataclass(frozen=True)
class MaskedAtoms:
    """Words of a drawn share of the atoms, whose features are hidden, for any encoder of atoms.

    Args:
        share: Share of the atoms of a molecule that is drawn.

    Reference:
        Hu et al. 2020 (arXiv:1905.12265), attribute masking; here the attribute is the word of the atom.
    """

    motifs: ClassVar[bool] = False
    share: float = 0.15

    @staticmethod
    def make_model(learner: Learner, atoms: Vocabulary, bonds: Vocabulary) -> nn.Module:
        """Give the encoder of a model a head for the words of atoms; those of bonds are not used.

        Raises:
            TypeError: The model has no encoder that gives states of atoms.
        """
        encoder = getattr(learner.model, "encoder", None)
        if not isinstance(encoder, nn.Module):
            raise TypeError(f"model {learner.recipe.model!r} has no part named encoder, which is what is pre-trained")
        with eval_mode(learner.model), torch.no_grad():
            size = atom_states(encoder, learner.featurizer("CCO").to(learner.device)).shape[1]
        return AtomPretraining(encoder, size, len(atoms))

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """Hide atoms, and compare what the model says of them with their words."""
        graph = batch.graph
        atoms = draw_on(graph, counts_of(graph)[0], self.share)
        with hidden(graph, atoms, None):
            scores = model(graph)["atoms"]["encoder"]
        targets = graph.graph.ndata["word"] * atoms
        return Loss(word_loss(scores, targets), per_molecule(scores, targets, graph))


def counts_of(graph: MoleculeGraph) -> tuple[Tensor, Tensor]:
    """Return the numbers of atoms and of bonds of each molecule (B,), on the CPU."""
    return graph.num_atoms.cpu(), graph.graph.batch_num_edges().cpu() // 2


def draw_on(graph: MoleculeGraph, counts: Tensor, share: float) -> Tensor:
    """Draw rows, on the device of the graph."""
    return masks.draw(counts, share).to(graph.device)


def word_loss(scores: Tensor, words: Tensor) -> Tensor:
    """Mean negative log-likelihood of the words that are not 0; 0 where there are none."""
    total = F.nll_loss(scores, words.long(), ignore_index=NOTHING, reduction="sum")
    return total / (words != NOTHING).sum().clamp(min=1)


def per_molecule(scores: Tensor, words: Tensor, graph: MoleculeGraph) -> Tensor:
    """Mean negative log-likelihood of the words of each molecule (B,), without gradients."""
    N = graph.graph.num_nodes()
    losses = F.nll_loss(scores[:N].detach(), words[:N].long(), ignore_index=NOTHING, reduction="none")
    places = torch.arange(graph.batch_size, device=graph.device).repeat_interleave(graph.num_atoms)
    sums, counts = (
        losses.new_zeros(graph.batch_size).index_add(0, places, values.to(losses.dtype))
        for values in (losses, words[:N] != NOTHING)
    )
    return sums / counts.clamp(min=1)


def pad_to(labels: Tensor, outputs: dict[str, Tensor]) -> Tensor:
    """Return labels with a 0 at the end where the outputs have a row for the released padding."""
    return F.pad(labels, (0, len(next(iter(outputs.values()))) - len(labels)))


def sum_of(values: Any) -> Tensor:
    """Return the sum of scalars."""
    return torch.stack([*values]).sum()


@contextmanager
def hidden(graph: MoleculeGraph, atoms: Tensor, bonds: Tensor | None) -> Iterator[None]:
    """Set the features of these atoms (N,), and of these directed bonds (E,), to zero in the block."""
    saved = [(graph.graph.ndata, graph.atom_feats, atoms)]
    if bonds is not None:
        saved.append((graph.graph.edata, graph.bond_feats, bonds))
    try:
        for data, feats, drawn in saved:
            data["feat"] = feats * ~drawn.unsqueeze(1)
        yield
    finally:
        for data, feats, _ in saved:
            data["feat"] = feats


@contextmanager
def unchanged() -> Iterator[None]:
    """Do nothing."""
    yield
