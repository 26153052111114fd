"""Molecules for evaluating a trained learner: the parts that its run has saved, or other data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data import MoleculeDataset, split_by_options
from zoo.data.errors import DataError, DataNotFoundError
from zoo.experiments import experiment
from zoo.experiments.testing import load_test_file
from zoo.learners.ensemble import Ensemble
from zoo.learners.predictor import Predictor
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import DataOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.folder import RunFolder
from zoo.runs.saved_split import DataChanged, SavedSplit, count_known, molecule_keys

# Options that ask for parts of one's own.
CUT = frozenset(("split", "split_column", "split_args", "split_seed", "fractions"))
PARTS = ("train", "valid", "test", "all")
REMEDY = "restore it, or name the data of then with --data FILE, or evaluate all of it with --part all"


@dataclass(frozen=True)
class ChosenPart:
    """Molecules to evaluate a run on.

    Args:
        dataset: The molecules and their labels.
        part: "train", "valid", "test" or "all".
        source: How they were read.
        trained_on: How many of them the model was trained on; `None` where the run has not kept that.
        notes: What a reader of the numbers must know.
    """

    dataset: MoleculeDataset
    part: str
    source: DataOptions
    trained_on: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        """Warning of one line where the model was trained on molecules of the part."""
        if not self.trained_on:
            return None
        rest = "the numbers do not say how it does on new molecules"
        return f"the model was trained on {self.trained_on:,} of these {len(self.dataset):,} molecules: {rest}"


def choose_part(
    run: str | Path,
    recipe: Recipe,
    fitted: Fitted | None = None,
    *,
    part: str | None = None,
    data: str | None = None,
    given: Mapping[str, Any] | None = None,
) -> ChosenPart:
    """Find the molecules to evaluate a run on.

    Args:
        run: Folder of the run, or of a checkpoint.
        recipe: Recipe of the learner.
        fitted: What the learner was trained to tell, whose task names are looked for in other data.
        part: One of `PARTS`; `None` takes the test part of the run's own data, and all of other data.
        data: Name or file, also the new place of the run's own data; `None` takes what the recipe names.
        given: Other fields of `DataOptions` that were asked for.

    Raises:
        DataChanged: Parts of the run are asked for, and its data are not as they were.
        DataNotFoundError: The data are no longer where they were.
    """
    given = dict(given or {})
    if "split_column" in given:
        given.setdefault("split", None)
    asked = bool(CUT & given.keys())
    folder, own = RunFolder.of(run), recipe.asked_data
    saved, source = folder.split, reading(recipe, fitted, own, data, given)
    dataset = load_again(source, folder, data)
    same = saved is not None and not saved.content.changes(dataset)
    if part is None:
        tested = saved is None or bool(saved.rows["test"]) or own.test_file is not None
        part = "test" if data is None or (tested and (same or same_file(data, own))) else "all"
    if part == "all":
        return add_overlap(folder, ChosenPart(dataset, part, source))
    if saved is not None and not asked:
        if not same and data is not None and not same_place(data, own):
            raise DataChanged(
                f"{data} is not the data that {folder.path} was trained on: its parts are unknown; leave --part out to "
                "evaluate all of it, or name the split that cuts it with --split"
            )
        if part == "test" and own.test_file is not None:
            return add_overlap(folder, ChosenPart(load_test_file(dataset, source), part, source))
        return add_overlap(folder, of_run(folder, saved, dataset, part, source))
    seed = recipe.seed if source.split_seed is None else source.split_seed
    parts = split_by_options(dataset, source, recipe.seed)
    note = f"the parts are cut again: split {source.split!r}, seed {seed}" + ("" if saved else "; the run saved none")
    chosen = ChosenPart(getattr(parts, part), part, source, notes=(note,))
    if saved is None and not asked:
        return dataclasses.replace(chosen, trained_on=count_known(chosen.dataset, molecule_keys(parts.train)))
    return add_overlap(folder, chosen)


def refuse_mixed_parts(learner: Predictor, run: str | Path) -> None:
    """Raise a `DataError` for an ensemble whose members have different test parts: none is new to all of them."""
    if isinstance(learner, Ensemble) and not learner.shares_parts and RunFolder.of(run).split is None:
        raise DataError(f"{run}: its members were trained on different parts: give other data with --data")


def reading(
    recipe: Recipe, fitted: Fitted | None, own: DataOptions, data: str | None, given: Mapping[str, Any]
) -> DataOptions:
    """Return the options of reading: those of the run for the run's data, else those that were given."""
    if data is None or same_place(data, own):
        return dataclasses.replace(own, **{"source": data or own.source, **given})
    mixed = fitted is not None and bool(fitted.task_kinds)
    known = {
        "task_kinds": dict(zip(fitted.task_names, fitted.task_kinds, strict=True)) if fitted and mixed else None,
        "tasks": fitted.task_names or None if fitted else own.tasks,
        "feature_columns": recipe.feature_names,
        "smiles_columns": recipe.smiles_columns,
        "task": recipe.task,
        "split": own.split,
    }
    return DataOptions(**{**known, **given, "source": data})


def same_place(data: str, own: DataOptions) -> bool:
    """Return whether a name or file is that of the run, or its file under another folder."""
    return Path(data).name == Path(own.source).name


def same_file(data: str, own: DataOptions) -> bool:
    """Return whether a name or file is exactly that of the run."""
    return data == own.source or Path(data).resolve() == Path(own.source).resolve()


def load_again(source: DataOptions, folder: RunFolder, data: str | None = None) -> MoleculeDataset:
    """Load the data of a run, as many of its molecules as it used."""
    try:
        dataset = experiment.load_dataset(source)
    except (DataNotFoundError, FileNotFoundError) as error:
        if data is not None:
            raise
        raise DataNotFoundError(f"{error} (the data of {folder.path}: name their new place with --data)") from error
    return experiment.draw(dataset, (folder.facts.get("planned") or {}).get("max_molecules"))


def of_run(
    folder: RunFolder, saved: SavedSplit, dataset: MoleculeDataset, part: str, source: DataOptions
) -> ChosenPart:
    """Take a part as the run has saved it."""
    if not saved.rows[part]:
        raise DataError(f"{folder.path} has no {part} part: give other data with --data, or another --part")
    parts = saved.cut(dataset, str(folder.path), REMEDY)
    return ChosenPart(getattr(parts, part), part, source)


def add_overlap(folder: RunFolder, chosen: ChosenPart) -> ChosenPart:
    """Add to a part how many of its molecules were trained on."""
    keys = folder.trained_on
    return chosen if keys is None else dataclasses.replace(chosen, trained_on=count_known(chosen.dataset, keys))
