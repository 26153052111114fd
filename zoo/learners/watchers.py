"""Callbacks of a training, by its options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo import sharpness
from zoo.recipe.options import TrainingOptions
from zoo.runs.folder import RunFolder
from zoo.training import callbacks as watch
from zoo.training import distributed


def watchers(options: TrainingOptions, folder: RunFolder | None, progress: bool | None) -> Iterator[Any]:
    """The callbacks that the options ask for; of several processes only the main one prints and writes."""
    if options.patience is not None:
        yield watch.EarlyStopping(options.patience)
    if options.ascent_every is not None:
        yield watch.AscentMonitor(options.ascent_every)
    if not distributed.is_main():
        return
    if progress is not False:
        yield watch.Progress(progress)
    if options.sharpness_every is not None and (folder is not None or progress is not False):
        # Before the checkpoint: a run that is cut off while it measures does so again when it is resumed.
        yield sharpness.SharpnessMonitor(options.sharpness_every, show=progress is not False)
    if folder is not None:
        yield watch.TensorBoard()
        yield watch.Checkpointing(folder.checkpoints, options.checkpoint_every)
