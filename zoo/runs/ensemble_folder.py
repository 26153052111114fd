"""`ensemble.json`: the folder of an ensemble, whose members are checkpoints or runs in folders below it.

```
FOLDER/ensemble.json      places of the members, as paths relative to the folder, and their weights
FOLDER/members/0, ...     their checkpoints, where `Ensemble.save` wrote them; `molzoo train` names its own run folders
```
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.runs.checkpoint import (
    Checkpoint,
    CheckpointError,
    damage_error,
    previous,
    read,
    read_mapping,
    replace,
    versions,
)
from zoo.runs.durable import find_link, naming, remove_orphans, sync_folder
from zoo.runs.json_files import write_json

LISTING = "ensemble.json"
MOST_MEMBERS = 1000
MOST_BYTES = 1 << 20
PLACE = re.compile(r"(?!\.+(/|$))[\w.+-]+(/(?!\.+(/|$))[\w.+-]+)*", re.ASCII)


@dataclass(frozen=True)
class EnsembleFolder:
    """The members of an ensemble on disk.

    Args:
        path: The folder.
        members: Places of the members, relative to it.
        weights: Weight of each member, above 0.
        calibration: As `Fitted.calibration`, of the ensemble.
    """

    path: Path
    members: tuple[str, ...]
    weights: tuple[float, ...]
    calibration: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.members) <= MOST_MEMBERS or len(set(self.members)) < len(self.members):
            raise ValueError(f"members are 1 to {MOST_MEMBERS} different folders, not {len(self.members)} entries")
        for place in self.members:
            if not isinstance(place, str) or not PLACE.fullmatch(place):
                raise ValueError(f"member {str(place)[:60]!r} is not the name of a folder below the ensemble's own")
        if len(self.weights) != len(self.members) or not all(is_positive(weight) for weight in self.weights):
            raise ValueError("weights are numbers above 0, one for each member")

    @property
    def places(self) -> list[Path]:
        """Folders of the members.

        Raises:
            CheckpointError: One of them is a link, or holds one: what is read would lie outside of the folder.
        """
        for place in self.members:
            inside = [self.path.joinpath(*place.split("/")[: depth + 1]) for depth in range(place.count("/") + 1)]
            link = next((folder for folder in inside if folder.is_symlink()), None) or find_link(inside[-1])
            if link is not None:
                raise CheckpointError(f"{link} is a link, and an ensemble reads its own folder only: put a copy there")
        return [self.path / place for place in self.members]

    def note(self) -> None:
        """Write the listing."""
        listed = {"members": self.members, "weights": self.weights, "calibration": self.calibration}
        write_json(self.path / LISTING, {**listed, "versions": versions()})


def is_positive(weight: object) -> bool:
    """Return whether a weight is a finite number above 0."""
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and 0 < weight < math.inf


def open_ensemble(path: str | Path) -> EnsembleFolder | None:
    """Read the listing of an ensemble; `None` where the folder is none.

    Raises:
        CheckpointError: The listing is damaged, or names places outside of its folder.
    """
    path = Path(path).absolute()
    for folder in (path, previous(path)):
        file = folder / LISTING
        if not file.is_file():
            continue
        try:
            if file.is_symlink() or file.stat().st_size > MOST_BYTES:
                raise ValueError("a short file of the folder's own is expected")
            values = read_mapping(file)
            members = tuple(values["members"])
            weights = tuple(values.get("weights") or (1.0,) * len(members))
            return EnsembleFolder(folder, members, weights, dict(values.get("calibration") or {}))
        except CheckpointError:
            raise
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise damage_error(file, error) from error
    return None


@dataclass(frozen=True)
class SavedModels:
    """A checkpoint, or those of the members of an ensemble.

    Args:
        path: What `zoo.load` reads.
        checkpoints: One, or those of all members.
        weights: Weight of each.
        calibration: As `Fitted.calibration`, of an ensemble; a checkpoint has its own.
    """

    path: Path
    checkpoints: tuple[Checkpoint, ...]
    weights: tuple[float, ...] = (1.0,)
    calibration: Mapping[str, Any] = field(default_factory=dict)


def read_all(path: str | Path) -> SavedModels:
    """Open the checkpoint at a place, or those of all members of an ensemble.

    Raises:
        CheckpointError: There is none, or one is damaged.
    """
    found = open_ensemble(path)
    if found is None:
        single = read(path)
        return SavedModels(single.path, (single,))
    return SavedModels(found.path, tuple(map(read, found.places)), found.weights, found.calibration)


def write_ensemble(
    path: str | Path,
    write_members: Sequence[Callable[[Path], None]],
    weights: Sequence[float],
    calibration: Mapping[str, Any] | None = None,
) -> None:
    """Write an ensemble atomically: under a temporary name, to the disk, then rename it.

    Args:
        path: Folder; an ensemble that is there already is replaced.
        write_members: Each writes a checkpoint into the folder that it gets.
        weights: Weight of each member.
        calibration: As `Fitted.calibration`, of the ensemble.

    Raises:
        CheckpointError: The folder holds something else.
    """
    path = Path(path)
    if path.exists() and not (path / LISTING).exists():
        raise CheckpointError(f"{path} exists and is not an ensemble: choose another folder")
    if path.exists() and any(place.name not in (LISTING, "members") for place in path.iterdir()):
        raise CheckpointError(f"{path} holds more than an ensemble (the runs of its members?): choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_orphans(path)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    members = tuple(f"members/{number}" for number in range(len(write_members)))
    try:
        with naming(path):
            (new / "members").mkdir(parents=True)
            for place, write in zip(members, write_members, strict=True):
                write(new / place)
            EnsembleFolder(new, members, tuple(weights), calibration or {}).note()
            sync_folder(new / "members", files=False)
            sync_folder(new, files=False)
        replace(path, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
