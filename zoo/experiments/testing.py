"""Test sets of their own: a file next to the source, whose molecules nobody may have trained on."""

from __future__ import annotations

import dataclasses
import warnings

from zoo.data import MoleculeDataset, Split, load
from zoo.data.errors import DataError
from zoo.recipe.options import DataOptions
from zoo.runs.saved_split import count_known, molecule_keys


def choose_test(split: Split, options: DataOptions) -> MoleculeDataset:
    """Return the molecules that a run is tested on: those of its test file, else the test part of its split.

    Warns where molecules of the test file are in the training part.

    Raises:
        DataError: There is a test file, and the split has a test part too; or the file has other labels.
    """
    if options.test_file is None:
        return split.test
    if len(split.test):
        raise DataError(
            f"test_file={options.test_file!r}: split {split.name!r} keeps {len(split.test)} molecules for testing "
            "already: leave the file out, or use split='scaffold', 'random' or 'none' without fractions="
        )
    test = load_test_file(split.dataset, options)
    warn_of_overlap(test, split.train, options)
    return test


def warn_of_overlap(test: MoleculeDataset, train: MoleculeDataset, options: DataOptions) -> None:
    """Warn where molecules of a test file are among those that a model trains on."""
    known = count_known(test, molecule_keys(train))
    if known:
        warnings.warn(
            f"{known:,} of {len(test):,} molecules of the test file {options.test_file} are in the training part: the "
            "numbers do not say how the model does on new molecules",
            stacklevel=4,
        )


def load_test_file(dataset: MoleculeDataset, options: DataOptions) -> MoleculeDataset:
    """Load a test file as the source was read, with its tasks and its words of the classes.

    Raises:
        DataError: It cannot be read, or lacks labels of these tasks.
    """
    reading = dataclasses.replace(
        options,
        source=str(options.test_file),
        test_file=None,
        split_column=None,
        tasks=dataset.task_names,
        task=dataset.task,
        task_kinds=dict(zip(dataset.task_names, dataset.task_kinds, strict=False)) or None,
        metric=dataset.metric,
        label_names=dict(dataset.label_names) or options.label_names,
    )
    return load(reading.source, reading)
