"""Domain of a learner: from the data that it was trained on, or from the file next to its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.data import MoleculeDataset
from zoo.learners.predictor import Predictor
from zoo.runs.folder import DOMAIN, RunFolder
from zoo.trust.domain.domain import Domain
from zoo.trust.domain.storing import read_domain, write_domain

CACHE = "domain"


class NoDomain(ValueError):
    """Learner of which nothing tells what it was trained on."""


def domain_of(predictor: Predictor) -> Domain:
    """Return the domain of a learner, a baseline or an ensemble; it is computed or read once.

    Raises:
        NoDomain: The learner is not trained, or its checkpoint was written without the file.
        CheckpointError: The file is damaged.
    """
    if CACHE not in predictor.derived:
        predictor.derived[CACHE] = find_domain(predictor)
    return predictor.derived[CACHE]


def find_domain(predictor: Predictor) -> Domain:
    """Compute or read a domain; arguments and errors as in `domain_of`."""
    if predictor.trained_on is not None:
        return Domain.of(*predictor.trained_on)
    place = predictor.place
    file = None if place is None else next(filter(Path.exists, places(place)), None)
    if file is not None:
        return read_domain(file)
    members: Any = getattr(predictor, "members", ())
    if members:
        return Domain.union(map(domain_of, members))
    if place is None:
        raise NoDomain("this learner is not trained, so that nothing can be compared with what it was trained on")
    raise NoDomain(
        f"{place} has no {DOMAIN}, the fingerprints of what it was trained on (an older version wrote it, or it was "
        f"copied without them): `molzoo card {RunFolder.of(place).path}` writes them if the data are still there"
    )


def places(checkpoint: Path) -> Iterator[Path]:
    """Give the files in which the domain of a checkpoint may be: its own folder's, then its run's."""
    yield checkpoint / DOMAIN
    if checkpoint.parent.name == "checkpoints":
        yield RunFolder.of(checkpoint).path / DOMAIN


def set_domain(predictor: Predictor, train: MoleculeDataset, valid: MoleculeDataset | None = None) -> Domain:
    """Compute the domain of a learner from its training and validation parts, and use it from now on."""
    domain = predictor.derived[CACHE] = Domain.of(train, valid)
    return domain


def keep_domain(predictor: Predictor, folder: Path) -> None:
    """Write the domain of a learner into the folder of a run or a checkpoint, if it is known."""
    try:
        domain = domain_of(predictor)
    except ValueError:  # not trained, or from a checkpoint without one: there is nothing to keep
        return
    write_domain(domain, folder)
