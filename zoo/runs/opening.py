"""Opening the folder of a run that starts or continues."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from zoo.data import MoleculeDataset, Split
from zoo.runs.folder import RunFolder
from zoo.runs.saved_split import NO_SPLIT


def run_folder(place: str | Path | RunFolder | None, resume: bool, writes: bool = True) -> RunFolder | None:
    """Return the folder for a new run or for one to go on with; `None` for a run without one.

    Raises:
        CheckpointError: It holds a run and `resume` is false.
    """
    folder = place if place is None or isinstance(place, RunFolder) else RunFolder(place, writes)
    if folder is not None and not resume:
        folder.refuse_second_run()
    return folder


def running(folder: RunFolder | None) -> AbstractContextManager[RunFolder | None]:
    """`RunFolder.running`, also for a run without a folder."""
    return nullcontext() if folder is None else folder.running()


def saved_parts(folder: RunFolder | None, dataset: MoleculeDataset, resume: bool) -> Split | None:
    """Cut the data of a run to resume as it did; `None` where there is no such run, or it has saved no split.

    Raises:
        DataChanged: The data are not those of the run.
    """
    saved = folder.split if folder is not None and resume else None
    if folder is None or saved is None:
        return None
    remedy = "give the data of then, or start a new run in another folder"
    parts = saved.cut(dataset, str(folder.path), remedy)
    return None if saved.name == NO_SPLIT else parts
