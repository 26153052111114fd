"""`split`: cut a dataset into train, validation and test by a named rule or the user's own rows."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data.dataset import MoleculeDataset, Split
from zoo.data.errors import DataError, quote
from zoo.data.split_report import PART_NAMES, split_warnings
from zoo.data.splits.own import describe_left_out, read_index_file, split_by_rows
from zoo.data.splits.remedies import empty_parts
from zoo.recipe.options import DataOptions
from zoo.registry.catalog import SPLITS
from zoo.registry.plugins import load_plugins

DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)
WITHOUT_TEST = (0.9, 0.1, 0.0)
GIVEN = ("column", "none")  # splits that nobody would expect to draw
SPLIT_NAMES = tuple(SPLITS.names())
Rows = Mapping[str, Sequence[int]] | Sequence[Sequence[int]]


def split(
    dataset: MoleculeDataset,
    name: str | os.PathLike[str] | Rows | None = None,
    *,
    seed: int = 0,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    **options: Any,
) -> Split:
    """Cut a dataset into train, validation and test.

    Args:
        dataset: What to cut; molecules that cannot be read are in no part.
        name: A registered split (`zoo.data.list_splits()`), among them `scaffold` (balanced, as GROVER and chemprop),
            `random` (duplicates together), `kfold` and `column` (the source's own column); or the user's own row
            numbers: three sequences, a mapping with keys train, valid, test, or a JSON / NPZ file of one. `None` takes
            `column` where `load` was given a `split_column=`, else `scaffold`.
        seed: Seed of the splits that draw, >= 0.
        fractions: Shares of train, valid and test; they sum to 1.
        **options: Options of the split, such as `fold=3, num_folds=10` of `kfold` or `cutoff=0.5` of `butina`.

    Raises:
        DataError: Unknown name, arguments that are out of range or that the split does not use, or a part would be
            empty.

    Example:
        >>> smiles = ["C" * n for n in range(1, 21)]
        >>> data = MoleculeDataset("alkanes", smiles, np.arange(20.0), ("length",), "regression")
        >>> split(data, "random", seed=1)
        Split('random', seed=1: 16/2/2)
    """
    load_plugins()
    if name is None:
        name = "column" if dataset.split_column else "scaffold"
    if dataset.split_column and name != "column":
        warnings.warn(
            f"split_column={dataset.split_column!r} is not used: the split is {name!r}, give split='column' to use it",
            stacklevel=2,
        )
    shares = _check_arguments(dataset, seed, fractions)
    own_warnings: list[str] = []
    parts: Sequence[Sequence[int] | np.ndarray]
    if isinstance(name, str) and name in SPLITS:
        entry = SPLITS[name]
        label = entry.name
        given = {**entry.defaults, **options}
        parts = _apply_rule(dataset, label, entry.resolve(), seed, shares, given)
        own_warnings = describe_left_out(dataset, int(dataset.readable.sum()) - sum(map(len, parts)))
    else:
        label = os.path.basename(name) if isinstance(name, (str, os.PathLike)) else "own indices"
        wanted = read_index_file(name, SPLITS.names()) if isinstance(name, (str, os.PathLike)) else name
        _refuse_unused(label, options, fractions=shares)
        parts, own_warnings = split_by_rows(dataset, wanted, label)
        shares = (1.0, 1.0, 1.0)
    train, valid, test = (np.sort(np.asarray(part, dtype=np.int64)) for part in parts)
    indices = (train, valid, test)
    shares = (1.0, 0.0, 0.0) if label == "none" else shares
    _refuse_empty_parts(dataset, indices, label, shares)
    return Split(dataset, indices, label, seed, own_warnings + split_warnings(dataset, indices, label), options)


split_dataset = split  # the name before splits were registered


def split_by_options(dataset: MoleculeDataset, options: DataOptions, seed: int) -> Split:
    """Cut a dataset by the options of a recipe.

    Args:
        dataset: What to cut.
        options: Name, options and seed of the split.
        seed: The recipe's, for a split that has none of its own.

    Raises:
        DataError: As for `split`, and where a split column is named but another split is asked for.
    """
    if options.split_column is not None and options.split != "column":
        raise DataError(
            f"split_column={options.split_column!r} is used by split='column' only, not by split={options.split!r}: "
            "leave one of the two out"
        )
    chosen = seed if options.split_seed is None else options.split_seed
    shares = options.fractions
    if shares is None and options.test_file is not None and takes_fractions(options.split):
        shares = WITHOUT_TEST
    given = {} if shares is None else {"fractions": shares}
    return split(dataset, options.split, seed=chosen, **given, **options.split_args)


def list_splits() -> list[str]:
    """Names of the registered splits, plugins included.

    Example:
        >>> "kfold" in list_splits()
        True
    """
    load_plugins()
    return SPLITS.names()


def is_deterministic(name: Any) -> bool:
    """Return whether a split is the same for every seed: row numbers, a split column, and rules that draw nothing.

    Example:
        >>> is_deterministic("butina"), is_deterministic("random")
        (True, False)
    """
    load_plugins()
    return not (isinstance(name, str) and name in SPLITS) or "seed" not in _parameters(SPLITS[name].resolve())


def refuse_seeds(options: DataOptions, seeds: Sequence[int]) -> None:
    """Refuse seeds that the split cannot use, before anything is trained.

    Raises:
        DataError: A rule that draws nothing would get a seed other than 0.
    """
    draws_nothing = options.split in SPLITS and is_deterministic(options.split) and options.split not in GIVEN
    unused = [seed for seed in seeds if seed != 0]
    if draws_nothing and unused and options.split_seed is None:
        raise DataError(_ignored_seed(options.split, unused[0]))


def _ignored_seed(label: str, seed: int) -> str:
    return (
        f"split={label!r} draws nothing, seed={seed} would be ignored: give split_seed=0 (--split-seed 0), so that the "
        "seed decides about weights and batches only"
    )


def takes_fractions(name: str) -> bool:
    """Return whether a split is registered and cuts by fractions."""
    return name in SPLITS and "fractions" in accepted_options(name)


def accepted_options(name: str) -> list[str]:
    """Return what a registered split takes, of `seed` and `fractions` and options of its own."""
    return _parameters(SPLITS[name].resolve())


def _parameters(rule: Any) -> list[str]:
    return list(inspect.signature(rule).parameters)[1:]


def _check_arguments(dataset: MoleculeDataset, seed: int, fractions: Sequence[float]) -> tuple[float, float, float]:
    if seed < 0:
        raise DataError(f"seed={seed}: give 0 or a positive number")
    shares = tuple(share for share in fractions if isinstance(share, (int, float)))
    if not len(shares) == len(fractions) == 3 or min(shares) < 0 or not abs(sum(shares) - 1) <= 1e-6 or not shares[0]:
        raise DataError(f"fractions={tuple(fractions)}: give three numbers for train, valid, test that sum to 1")
    if not dataset.readable.any():
        raise DataError(f"{dataset.name}: no readable molecule, nothing to split")
    return shares[0], shares[1], shares[2]


def _apply_rule(
    dataset: MoleculeDataset,
    label: str,
    rule: Any,
    seed: int,
    fractions: tuple[float, float, float],
    options: Mapping[str, Any],
) -> list[np.ndarray]:
    """Call a rule with what it uses; its positions among the readable molecules become positions in the dataset."""
    accepted = _parameters(rule)
    shared = {"seed": seed, "fractions": fractions}
    if "seed" not in accepted and seed != 0 and label not in GIVEN:
        raise DataError(_ignored_seed(label, seed))
    unused = {name: value for name, value in options.items() if name not in set(accepted) - set(shared)}
    _refuse_unused(label, unused, **({} if "fractions" in accepted else {"fractions": fractions}), known=accepted)
    readable = np.flatnonzero(dataset.readable)
    usable = dataset if len(readable) == len(dataset) else dataset.subset(readable)
    parts = rule(usable, **{name: value for name, value in shared.items() if name in accepted}, **options)
    return [readable[part] for part in _check_parts(parts, len(usable), label)]


def _refuse_unused(
    label: str,
    options: Mapping[str, Any],
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    known: Sequence[str] = (),
) -> None:
    unused = dict(options)
    if tuple(fractions) != DEFAULT_FRACTIONS:
        unused["fractions"] = tuple(fractions)
    for name, value in unused.items():
        takes = f"it takes {quote(known)}" if known else "it takes no options"
        others = [other for other in SPLITS.names() if name in _parameters(SPLITS[other].resolve())]
        remedy = f"leave it out, or use split={others[0]!r}" if others else "leave it out"
        raise DataError(f"{name}={value!r} would be ignored by split {label!r} ({takes}): {remedy}")


def _check_parts(parts: Any, n: int, label: str) -> list[np.ndarray]:
    """Parts that a rule returned, as positions.

    Raises:
        DataError: A rule (of a plugin) returned something else than three lists of different positions.
    """
    try:
        arrays = [np.asarray(part, dtype=np.int64).reshape(-1) for part in parts]
        everything = np.concatenate(arrays)
    except (TypeError, ValueError) as error:
        raise DataError(f"split {label!r} returned no lists of positions ({error}): correct its function") from error
    inside = not len(everything) or (everything.min() >= 0 and everything.max() < n)
    if len(arrays) != 3 or not inside or len(np.unique(everything)) < len(everything):
        raise DataError(
            f"split {label!r} returned {len(arrays)} parts that are not three lists of different positions below {n}: "
            "correct its function"
        )
    return arrays


def _refuse_empty_parts(
    data: MoleculeDataset, indices: Sequence[np.ndarray], label: str, fractions: Sequence[float]
) -> None:
    empty = [
        name
        for name, part, share in zip(PART_NAMES, indices, fractions, strict=True)
        if not len(part) and (share > 0 or name == "train")
    ]
    if empty:
        named = " and ".join(empty)
        raise DataError(
            f"{data.name}: split {label!r} leaves the {named} part empty: {empty_parts(data, label, empty, fractions)}"
        )
