"""Runs of a report: those of a sweep, or any set of run folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.experiments.sweep.results import ResultsFolder
from zoo.experiments.sweep.rows import ResultRow, read_table, row_of, to_frame
from zoo.experiments.sweep.specification import Sweep
from zoo.recipe.recipe import NO_OPTIMIZER
from zoo.runs.continuing import flatten
from zoo.runs.folder import RunFolder

NAMES = ["dataset", "model", "optimizer", "seed"]
# Where an option is shown that differs between runs of the same names.
SHOWN = {"data": "dataset", "model_args": "model", "featurizer": "model", "featurizer_args": "model"}
UNSEEN = frozenset(
    ("seed", "data.source", "data.split_seed", "num_tasks", "task", "task_args", "task_names", "label_names")
    + ("target_scaling",)
)
DEEPEST = 4


@dataclass(frozen=True)
class Collected:
    """Runs, and the specification that they follow.

    Args:
        sweep: Names of models, optimizers, data sets and seeds in their order, and the reference.
        plan: The runs that were planned: `run` and their names.
        rows: What they gave, see `ResultRow`.
        command: How it was started; empty where nobody noted it.
        written: When it was started.
        places: Where the runs are, for `molzoo report`.
    """

    sweep: Sweep
    plan: pd.DataFrame
    rows: pd.DataFrame
    command: str
    written: str
    places: tuple[str, ...]


def collect(paths: Sequence[str | Path]) -> Collected:
    """Read runs from folders of sweeps, of searches and of single runs, from folders of those, and from `runs.csv`.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: It holds nothing to report.
    """
    places = [place for path in paths for place in resolve(Path(path))]
    if len(places) == 1 and isinstance(places[0], ResultsFolder) and (places[0].path / "sweep.json").exists():
        return of_sweep(places[0])
    rows = [row for place in places for row in read(place)]
    if not rows:
        raise ValueError(f"{', '.join(map(str, paths))}: no run has finished there yet")
    frame = distinct(to_frame(rows))
    name = Path(paths[0]).absolute().name if len(paths) == 1 else f"{len(frame)} runs"
    columns = {part: list(dict.fromkeys(frame[part])) for part in NAMES}
    optimizers = [key for key in columns["optimizer"] if key != NO_OPTIMIZER]
    reference = "adam" if "adam" in optimizers or not optimizers else optimizers[0]
    sweep = Sweep(
        models=columns["model"],  # type: ignore[arg-type]
        datasets=columns["dataset"],  # type: ignore[arg-type]
        optimizers=optimizers,  # type: ignore[arg-type]
        seeds=sorted(columns["seed"]),
        name=name,
        reference=reference,
    )
    return Collected(sweep, frame[["run", *NAMES]], frame, "", frame["written"].min(), tuple(map(str, paths)))


def of_sweep(results: ResultsFolder) -> Collected:
    """The runs of one sweep under its specification's names for them."""
    noted = results.latest_sweep()
    sweep = Sweep.parse(noted["specification"], noted["name"])
    plan = pd.DataFrame(noted["plan"])[["run", *NAMES]]
    rows = plan.merge(results.to_frame().drop(columns=NAMES), on="run", how="inner")
    return Collected(sweep, plan, rows, noted["command"], noted["written"], (results.path.name,))


def resolve(path: Path, depth: int = 0) -> Iterator[ResultsFolder | RunFolder | Path]:
    """Find the sweeps, runs and tables at a path, or below it."""
    if path.suffix == ".sqlite":
        command = f"python benchmarks/results/sqlite_to_table.py {path}"
        raise ValueError(f"{path} is of an earlier version: `{command}` makes a folder of it")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: `molzoo benchmark SPEC.yaml --results {path}` writes it")
    if path.is_file():
        yield path
    elif ResultsFolder(path).exists:
        yield ResultsFolder(path)
    elif RunFolder(path).is_run and "ensemble" not in RunFolder(path).facts:
        yield RunFolder(path)
    elif depth < DEEPEST:
        for folder in sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink()):
            yield from resolve(folder, depth + 1)


def read(place: ResultsFolder | RunFolder | Path) -> Iterable[ResultRow]:
    """Read the rows of one place."""
    if isinstance(place, ResultsFolder):
        return place.rows()
    if isinstance(place, Path):
        return read_table(place)
    row = row_of(place)
    return [] if row is None else [row]


def distinct(rows: pd.DataFrame) -> pd.DataFrame:
    """Distinguish runs of the same name by the options that differ; of equal ones the latest counts."""
    options = {row: distinguishing_options(recipe) for row, recipe in rows["recipe"].items()}
    rows = rows.copy()
    keys = ["dataset", "model", "optimizer"]
    for _, block in rows.groupby(keys, sort=False):
        values = {row: options[row] for row in block.index}
        for row in block.index:
            for name, part in differing(values).items():
                if values[row].get(name) is not None:
                    rows.loc[row, part] += f" {name.rpartition('.')[2]}={values[row][name]}"
    return rows.sort_values("written", kind="stable").drop_duplicates(NAMES, keep="last").sort_index()


def distinguishing_options(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that distinguish a run from others."""
    flat = flatten(recipe)
    return {name: v for name, v in flat.items() if not UNSEEN & {name, name.partition(".")[0]}}


def differing(options: Mapping[Any, Mapping[str, Any]]) -> dict[str, str]:
    """Return the options that are not the same in all runs that have them, each with the name where it is shown."""
    names = {name: None for each in options.values() for name in each}
    return {
        name: SHOWN.get(name.partition(".")[0], "optimizer")
        for name in names
        if len({str(each[name]) for each in options.values() if name in each}) > 1
    }
