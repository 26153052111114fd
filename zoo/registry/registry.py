"""Named parts: `Entry`, `Registry`, and the error for a name that is not there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from zoo.registry.suggest import suggest

T = TypeVar("T")


class UnknownName(LookupError):
    """Name without an entry; the message gives the closest match and all names."""

    def __init__(self, kind: str, name: str, names: list[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}.{suggest(normalize(name), names)} Known: {', '.join(names)}")
        self.kind, self.name, self.names = kind, name, names


def normalize(name: str) -> str:
    """Fold case, hyphens and spaces: `"Graph-SAM"` and `"graph_sam"` name the same entry."""
    return re.sub(r"[-\s]+", "_", name.strip().lower())


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One named part of the zoo.

    Args:
        name: Lower-case letters, digits and `_`.
        target: The class or function itself, or its place as `"package.module:attribute"`, imported on first use.
        summary: One line.
        reference: Paper or source.
        defaults: Options that differ from the target's own defaults under this name.
        facts: What others need to know before anything is built, such as the featurizer of a model.
    """

    name: str
    target: type[T] | str | Any
    summary: str
    reference: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"entry name {self.name!r}: use lower-case letters, digits and '_', a letter first")
        object.__setattr__(self, "defaults", MappingProxyType(dict(self.defaults)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def resolve(self) -> Any:
        """The class or function, imported if it was named by its place."""
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


class Registry(Generic[T]):
    """Entries of one kind, by name.

    Args:
        kind: What the entries are, in the singular ("model"); used in messages.

    Example:
        >>> registry = Registry("model")
        >>> registry.add(Entry("mine", dict, "an example"))
        >>> registry["Mine"].summary
        'an example'
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[T]] = {}
        self._aliases: dict[str, str] = {}

    def add(self, entry: Entry[T]) -> None:
        """Register an entry.

        Raises:
            ValueError: The name is taken.
        """
        if entry.name in self:
            raise ValueError(
                f"{self.kind} {entry.name!r} is registered already (as {self[entry.name].target!r}): "
                "choose another name"
            )
        self._entries[entry.name] = entry

    def add_alias(self, alias: str, name: str) -> None:
        """Let another word mean a registered entry; it is accepted and not listed."""
        self._aliases[alias] = self[name].name

    @contextmanager
    def restored(self) -> Iterator[Registry[T]]:
        """Remove, at the end of the block, the entries that were added inside it.

        Example:
            >>> registry = Registry("model")
            >>> with registry.restored():
            ...     registry.add(Entry("for_a_test", dict, "gone afterwards"))
            >>> "for_a_test" in registry
            False
        """
        before = dict(self._entries)
        try:
            yield self
        finally:
            self._entries = before

    def class_at(self, place: str) -> Any | None:
        """Return the registered class whose place `"package.module:Class"` this is; `None` if none is.

        Only what is registered is imported.
        """
        for entry in self:
            named_alike = not isinstance(entry.target, str) or entry.target.endswith(f":{place.rpartition(':')[2]}")
            target = entry.resolve() if named_alike else None
            if target is not None and f"{target.__module__}:{target.__qualname__}" == place:
                return target
        return None

    def __getitem__(self, name: str) -> Entry[T]:
        try:
            return self._entries[self._key(name)]
        except KeyError:
            raise UnknownName(self.kind, name, self.names()) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) in self._entries

    def _key(self, name: str) -> str:
        key = normalize(name)
        return self._aliases.get(key, key)

    def __iter__(self) -> Iterator[Entry[T]]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)
