"""`SavedSplit`: the rows of the parts of a run and hashes of its data, so that later uses cut them the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset, Split
from zoo.data.errors import DataError
from zoo.data.split_report import PART_NAMES, split_warnings

NO_SPLIT = "none"


class DataChanged(DataError):
    """Data that are not those a run was trained on."""


@dataclass(frozen=True)
class Content:
    """Content of a data set, as hashes that show what has changed.

    Args:
        molecules: How many (n).
        molecules_in_order: Hash of the row numbers and SMILES in their order.
        any_order: Hash of the SMILES in any order.
        labels: Hash of the labels, by task.
        features: Hash of the features, by name.
        weights: Hash of the weights of the molecules; empty without any.
    """

    molecules: int
    molecules_in_order: str
    any_order: str
    labels: Mapping[str, str]
    features: Mapping[str, str] = field(default_factory=dict)
    weights: str = ""

    @classmethod
    def of(cls, dataset: MoleculeDataset) -> Content:
        """Describe a data set."""
        texts = dataset.smiles
        if dataset.partners:
            texts = ["\0".join(molecules) for molecules in zip(texts, *dataset.partners, strict=True)]
        pairs = zip(dataset.rows.tolist(), texts, strict=True)
        return cls(
            len(dataset),
            digest(f"{row} {smiles}".encode() for row, smiles in pairs),
            digest(text.encode() for text in sorted(texts)),
            hash_columns(dataset.task_names, dataset.targets, dataset.bounds),
            {} if dataset.features is None else hash_columns(dataset.feature_names, dataset.features),
            "" if dataset.weights is None else digest([dataset.weights.tobytes()]),
        )

    def changes(self, dataset: MoleculeDataset) -> list[str]:
        """Describe what has changed in the data set; empty where nothing has changed."""
        now = Content.of(dataset)
        if now.molecules != self.molecules:
            return [f"it has {now.molecules:,} molecules, not {self.molecules:,}"]
        if now.any_order != self.any_order:
            return ["other molecules"]
        if now.molecules_in_order != self.molecules_in_order:
            return ["its rows are in another order"]
        weights = ["other weights"] if self.weights and now.weights not in ("", self.weights) else []
        labels = compare("labels", self.labels, now.labels)
        return labels + compare("features", self.features, now.features) + weights


def hash_columns(names: Sequence[str], values: np.ndarray, bounds: np.ndarray | None = None) -> dict[str, str]:
    """Return a hash of each column of an array (n, T), by name; of labels with what they are, where some are bounds."""
    found = {}
    for place, (name, column) in enumerate(zip(names, np.asarray(values, np.float32).T, strict=True)):
        parts = [np.where(np.isnan(column), np.float32("nan"), column).tobytes()]
        if bounds is not None and bounds[:, place].any():
            parts.append(bounds[:, place].tobytes())
        found[name] = digest(parts)
    return found


def compare(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Describe which columns are gone, and which have changed."""
    gone = [f"no {what} {name!r}" for name in old if name not in new]
    return gone + [f"other {what} in {name!r}" for name in old if new.get(name, old[name]) != old[name]]


@dataclass(frozen=True)
class SavedSplit:
    """The parts of a run.

    Args:
        name: Name of the split.
        seed: Seed of the split.
        rows: Row numbers in the source (from 0) of each part, by part.
        content: What the data were.
    """

    name: str
    seed: int
    rows: Mapping[str, list[int]]
    content: Content

    @classmethod
    def of(cls, dataset: MoleculeDataset, parts: Split | None) -> SavedSplit:
        """Take the rows and the content; without a split everything is in the training part."""
        if parts is None:
            empty: list[int] = []
            return cls(
                NO_SPLIT, 0, {"train": dataset.rows.tolist(), "valid": empty, "test": empty}, Content.of(dataset)
            )
        return cls(parts.name, parts.seed, parts.to_dict(), Content.of(dataset))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SavedSplit:
        """Read what `to_dict` wrote."""
        return cls(values["name"], values["seed"], values["rows"], Content(**values["content"]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return {"name": self.name, "seed": self.seed, "rows": dict(self.rows), "content": vars(self.content)}

    def cut(self, dataset: MoleculeDataset, where: str, remedy: str) -> Split:
        """Cut the data set as the run did.

        Args:
            dataset: The run's data, loaded again.
            where: The run, for the message.
            remedy: What to do where the data have changed, for the message.

        Raises:
            DataChanged: The data set is not the one that the run was trained on.
        """
        changes = self.content.changes(dataset)
        if changes:
            what = " and ".join(changes)
            raise DataChanged(f"{dataset.name} has changed since {where} was trained on it ({what}): {remedy}")
        order = np.argsort(dataset.rows, kind="stable")
        train, valid, test = (
            np.sort(order[np.searchsorted(dataset.rows, np.array(self.rows[part], np.int64), sorter=order)])
            for part in PART_NAMES
        )
        parts = (train, valid, test)
        return Split(dataset, parts, self.name, self.seed, split_warnings(dataset, parts, self.name))


def digest(parts: Iterable[bytes]) -> str:
    """Return a hash of byte strings, each with its length."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()[:32]


def molecule_keys(dataset: MoleculeDataset) -> np.ndarray:
    """Return a sorted 64-bit key for each different molecule, from its canonical SMILES."""
    texts = (text for text, readable in zip(dataset.canonical_smiles, dataset.readable, strict=True) if readable)
    keys = {key(text) for text in texts}
    return np.array(sorted(keys), dtype=np.uint64)


def key(text: str) -> int:
    """Return the key of one canonical SMILES."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def count_known(dataset: MoleculeDataset, keys: np.ndarray) -> int:
    """Count the molecules (rows) of a data set whose key is among some keys."""
    texts = zip(dataset.canonical_smiles, dataset.readable, strict=True)
    mine = np.array([key(text) if readable else 0 for text, readable in texts], dtype=np.uint64)
    return int((np.isin(mine, keys) & dataset.readable).sum())
