"""Names of parts in files: registered ones, unless the user vouches for the file.

A recipe, a checkpoint, a sweep or a search may come from anybody. A part named by the place of its class
(`package.module:Class`) imports that module, which runs whatever is in it.
"""

from __future__ import annotations

from typing import Any

from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Registry

REGISTRIES: tuple[Registry[Any], ...] = (MODELS, OPTIMIZERS, FEATURIZERS)


class UntrustedPlace(ValueError):
    """Part named by the place of its class, in a file that was not declared trustworthy."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"{kind} {name!r} is not a registered name, and building it would import and run code: register it in a "
            f"plugin (see zoo.register_model), give the object itself ({kind}=...), or, if you trust the author, allow "
            "it with trust=True (--trust)"
        )


def is_place(name: str) -> bool:
    """Return whether a name is the place of a class."""
    return ":" in name


def require_trust(recipe: Recipe, trust: bool) -> None:
    """Raise an `UntrustedPlace` if a recipe names the place of a class and is not trusted.

    The class of a registered name is trusted: recipes name it by its place where only variants of it are
    registered. Nothing else is imported.

    Example:
        >>> require_trust(Recipe("gcn"), trust=False)
        >>> require_trust(Recipe("os:system"), trust=True)
    """
    load_plugins()
    for registry in REGISTRIES:
        name = getattr(recipe, registry.kind)
        if is_place(name) and not trust and registry.class_at(name) is None:
            raise UntrustedPlace(registry.kind, name)
