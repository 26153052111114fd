"""Options of a run that may change when it is continued."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.recipe.recipe import Recipe
from zoo.runs.checkpoint import CheckpointError

# What cannot change a number: where files lie, how many processes work, what is recorded.
FREE = frozenset(
    f"training.{name}"
    for name in ("num_workers", "cache_dir", "log_every", "checkpoint_every", "sharpness_every", "ascent_every")
) | {"data.data_dir"}
SAME_DATA = frozenset(("data.source",))


def differences(stored: Recipe, asked: Recipe, same_data: bool = False) -> dict[str, tuple[Any, Any]]:
    """Return the options of a run that `asked` would change, each with its stored and its new value.

    Args:
        stored: The recipe of the run.
        asked: What is to be continued; more epochs are not a difference.
        same_data: The data have been compared by their content, so that their place may differ.

    Example:
        >>> differences(Recipe("gcn", seed=1), Recipe("gcn", seed=2))
        {'seed': (1, 2)}
    """
    free = FREE | (SAME_DATA if same_data else frozenset())
    old, new = (flatten(Recipe.from_json(recipe.to_json()).to_dict()) for recipe in (stored, asked))
    found = {name: (old.get(name), new.get(name)) for name in [*old, *(n for n in new if n not in old)]}
    return {
        name: pair
        for name, pair in found.items()
        if pair[0] != pair[1] and name not in free and not (name == "training.epochs" and more(*pair))
    }


def more(old: Any, new: Any) -> bool:
    """Check whether a number of epochs is larger; `None`, which leaves it to the size of the data, may be."""
    return new is not None and (old is None or new > old)


def refuse_other_recipe(stored: Recipe, asked: Recipe, folder: Path, same_data: bool = False) -> None:
    """Raise a `CheckpointError` that names what differs, unless `asked` continues the run."""
    found = differences(stored, asked, same_data)
    if found:
        named = [f"{name.removeprefix('training.').removeprefix('data.')} is {old!r}, not {new!r}"
                 for name, (old, new) in found.items()]  # fmt: skip
        raise CheckpointError(
            f"{folder} holds a run of another recipe ({'; '.join(named[:5])}): resume it with its own options (a "
            "larger number of epochs continues it), or start a new run in another folder"
        )


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, keys joined by dots.

    Example:
        >>> flatten({"a": {"b": 1}, "c": 2})
        {'a.b': 1, 'c': 2}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
