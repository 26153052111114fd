"""Games: the prediction of one molecule as a function of the atoms whose features a model may see.

Methods of attribution know games alone, so that each works for neural networks, for forests on fingerprints and for
ensembles of both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import Tensor

from featurizers import FingerprintFeaturizer, MoleculeGraph, PackedMolecules
from zoo.data import MoleculeRows
from zoo.data.features import attach_features
from zoo.learners import Learner
from zoo.learners.estimator import Baseline
from zoo.learners.predictor import Predictor
from zoo.registry import kinds
from zoo.registry.catalog.targets import NUMBERS
from zoo.training.modes import eval_mode
from zoo.trust.attribution.question import Question, unit_of

ATOMS_AT_ONCE, PAIRS_AT_ONCE = 4096, 200_000
SMALLEST = 1e-12


class Game(ABC):
    """Prediction of a molecule with N atoms and M bonds, of which a model may see some.

    Args:
        mol: The molecule as the model sees it.
        bond_ends: Atoms of each bond (M, 2).

    Attributes:
        unit: "logit", "probability" or "value".
        scale: What counts as a large difference in that unit.
    """

    unit: str
    scale: float = 1.0

    def __init__(self, mol: Chem.Mol, bond_ends: np.ndarray) -> None:
        self.mol, self.bond_ends = mol, bond_ends.astype(np.int64).reshape(-1, 2)

    @property
    def num_atoms(self) -> int:
        """Number of atoms N."""
        return self.mol.GetNumAtoms()

    @property
    def num_bonds(self) -> int:
        """Number of bonds M."""
        return len(self.bond_ends)

    @abstractmethod
    def values(self, atoms: np.ndarray, bonds: np.ndarray | None = None) -> np.ndarray:
        """Values of coalitions.

        Args:
            atoms: Which atoms have features (K, N), bool.
            bonds: Which bonds have features (K, M), bool; `None` takes those between atoms that have some.

        Returns:
            Values (K,), float64, in `unit`.
        """

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Value of no atoms and value of all."""
        both = np.repeat([[False], [True]], self.num_atoms, axis=1)
        none, everything = self.values(both)
        return float(none), float(everything)

    def between(self, atoms: np.ndarray) -> np.ndarray:
        """Bonds whose two atoms have features (K, M)."""
        return atoms[:, self.bond_ends[:, 0]] & atoms[:, self.bond_ends[:, 1]]


class NetworkGame(Game):
    """Game of a neural network: the score before the sigmoid, or the value in the targets' unit.

    Atoms and bonds without features have zeros; the graph, and what is known of pairs and of the molecule, stays.

    Args:
        learner: With a model of graphs.
        row: A readable molecule, with the features that the learner reads next to it; these stay.
        question: What is explained.
    """

    def __init__(self, learner: Learner, row: MoleculeRows, question: Question) -> None:
        self.learner, self.question = learner, question
        molecule = row.smiles[0]
        arrays = learner.featurizer.read(molecule)
        super().__init__(learner.featurizer.parse(molecule), arrays.bond_ends)
        if len(arrays.atoms) != self.num_atoms:
            raise ValueError(
                f"featurizer {learner.recipe.featurizer!r} gives {len(arrays.atoms)} atoms to a molecule of "
                f"{self.num_atoms}: which atoms these are is unknown, so that nothing can be attributed to them"
            )
        self._packed = learner.complete(attach_features(PackedMolecules.pack([arrays]), row.features))
        scaling = learner.fitted.target_scaling
        self.unit = unit_of(learner.fitted, question.task)
        self.scale = 1.0 if scaling is None else float(scaling["std"][question.task])

    @property
    def at_once(self) -> int:
        """Copies of the molecule in a batch."""
        room = ATOMS_AT_ONCE // self.num_atoms
        return max(1, room if self.learner.featurizer.pairs is None else min(room, PAIRS_AT_ONCE // self.num_atoms**2))

    def copies(self, number: int) -> MoleculeGraph:
        """Return a batch of copies of the molecule."""
        return self.learner.featurizer.collate(self._packed.take(np.zeros(number, np.int64))).to(self.learner.device)

    def score(self, graph: MoleculeGraph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Score of each molecule (B,), float64, with other features than the graph's own."""
        graph.graph.ndata["feat"], graph.graph.edata["feat"] = atom_feats, bond_feats
        learner = self.learner
        with eval_mode(learner.model):
            found = self.question.take(learner.task.to_predictions(learner.model(graph).double()))
        if self.unit == "logit":
            return torch.logit(found, eps=SMALLEST)
        scaling = learner.fitted.target_scaling
        if scaling is None:
            return found
        return found * scaling["std"][self.question.task] + scaling["mean"][self.question.task]

    def values(self, atoms: np.ndarray, bonds: np.ndarray | None = None) -> np.ndarray:
        """See `Game`."""
        bonds = self.between(atoms) if bonds is None else bonds
        found = []
        for start in range(0, len(atoms), self.at_once):
            some, few = atoms[start : start + self.at_once], bonds[start : start + self.at_once]
            graph = self.copies(len(some))
            kept, both = (torch.from_numpy(mask.reshape(-1, 1)).to(graph.device) for mask in (some, few))
            with torch.no_grad():
                atom_feats, bond_feats = graph.atom_feats * kept, graph.bond_feats * both.repeat_interleave(2, dim=0)
                found.append(self.score(graph, atom_feats, bond_feats).cpu().numpy())
        return np.concatenate(found)


class FingerprintGame(Game):
    """Game of a baseline on fingerprints: a bit is set if an environment that sets it has only atoms with features.

    Args:
        baseline: On the featurizer "fingerprint".
        row: As in `NetworkGame`.
        question: What is explained.

    Raises:
        ValueError: Another featurizer.
    """

    def __init__(self, baseline: Baseline, row: MoleculeRows, question: Question) -> None:
        featurizer = baseline.featurizer
        if not isinstance(featurizer, FingerprintFeaturizer):
            raise ValueError(
                f"explanations of {baseline.recipe.model!r} need featurizer='fingerprint', and this one was trained on "
                f"{baseline.recipe.featurizer!r}: only the bits of fingerprints are known by atom"
            )
        arrays = featurizer.read(row.smiles[0])
        super().__init__(featurizer.parse(row.smiles[0]), arrays.bond_ends)
        self.baseline, self.question = baseline, question
        packed = baseline.complete(attach_features(PackedMolecules.pack([arrays]), row.features))
        self._descriptors, self._bits = packed.descriptors, featurizer.num_bits
        self._numbers, self._needs = environments(self.mol, featurizer)
        self._counts = featurizer.counts
        numbers = kinds.labels_of(baseline.fitted.kind_by_task[question.task]) == NUMBERS
        self.unit = "value" if numbers else "probability"

    def values(self, atoms: np.ndarray, bonds: np.ndarray | None = None) -> np.ndarray:
        """See `Game`; bonds have no features."""
        rows = np.repeat(np.asarray(self._descriptors), len(atoms), axis=0)
        present = ~(~atoms[:, None, :] & self._needs[None]).any(axis=2)
        for row, there in zip(rows, present, strict=True):
            counted = np.bincount(self._numbers[there], minlength=self._bits)
            row[: self._bits] = counted if self._counts else counted > 0
        predicted = self.baseline.predict_packed(with_descriptors(rows))
        return self.question.take(predicted).astype(np.float64)


def with_descriptors(rows: np.ndarray) -> PackedMolecules:
    """Return molecules without atoms that have these descriptors (K, F)."""
    none, ends = np.zeros(len(rows), np.int32), np.empty((0, 2), np.uint16)
    nothing = np.empty((0, 0), np.uint8)
    return PackedMolecules(none, none, nothing, nothing, ends, descriptors=rows)


def environments(mol: Chem.Mol, featurizer: FingerprintFeaturizer) -> tuple[np.ndarray, np.ndarray]:
    """Bits (V,) that the circular environments of a molecule set, and the atoms (V, N) of each environment."""
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateBitInfoMap()
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=featurizer.radius, fpSize=featurizer.num_bits)
    generator.GetCountFingerprint(mol, additionalOutput=output)
    found = [(bit, center, radius) for bit, places in output.GetBitInfoMap().items() for center, radius in places]
    atoms = np.zeros((len(found), mol.GetNumAtoms()), dtype=bool)
    distances = Chem.GetDistanceMatrix(mol)
    for row, (_, center, radius) in enumerate(found):
        atoms[row] = distances[center] <= radius
    return np.array([bit for bit, _, _ in found], dtype=np.int64), atoms


class MeanGame(Game):
    """Game of an ensemble: the weighted mean of the members' games.

    Args:
        games: Games of the members.
        weights: Their weights, which sum to 1.

    Raises:
        ValueError: The members see different molecules, or predict in different units.
    """

    def __init__(self, games: list[Game], weights: tuple[float, ...]) -> None:
        super().__init__(games[0].mol, games[0].bond_ends)
        self.games, self.weights, self.unit = games, weights, games[0].unit
        self.scale = games[0].scale
        if any(game.unit != self.unit for game in games):
            raise ValueError("members of the ensemble are explained in logits and in probabilities: explain each alone")
        if any(not np.array_equal(game.bond_ends, self.bond_ends) for game in games):
            raise ValueError("members of the ensemble see other atoms of a molecule: explain each alone")

    def values(self, atoms: np.ndarray, bonds: np.ndarray | None = None) -> np.ndarray:
        """See `Game`."""
        pairs = zip(self.weights, self.games, strict=True)
        return np.sum([weight * game.values(atoms, bonds) for weight, game in pairs], axis=0)


def make_game(predictor: Predictor, row: MoleculeRows, question: Question) -> Game:
    """Make the game of a learner, a baseline or an ensemble.

    Raises:
        InvalidMolecule: It cannot be read.
        ValueError: The predictor cannot be explained.
    """
    if isinstance(predictor, Learner):
        return NetworkGame(predictor, row, question)
    if isinstance(predictor, Baseline):
        return FingerprintGame(predictor, row, question)
    members: Any = getattr(predictor, "members", None)
    if not members:
        raise ValueError(f"{type(predictor).__name__} cannot be explained: give a learner, a baseline or an ensemble")
    weights: Any = getattr(predictor, "weights", (1 / len(members),) * len(members))
    return MeanGame([make_game(member, row, question) for member in members], tuple(weights))
