"""Spelling of options: dashes or underscores, short flags, `--model-args.hidden_size`, and the closest match."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from zoo.registry.suggest import suggest

OPTION = re.compile(r"--[A-Za-z]")
INSIDE = {
    "featurizer_args": ("descriptors", "standardize"),
    "model_args": ("dropout", "ffn_hidden_size", "hidden_size", "num_heads", "num_layers"),
    "optimizer_args": ("lr", "max_rho", "rho", "rise", "weight_decay"),
    "split_args": ("fold",),
    "task_args": ("delta", "gamma"),
    "uncertainty_args": ("passes",),
}
"""Options of parts that are often looked for among those of a command, by the option that takes them."""


@dataclass(frozen=True)
class Spelling:
    """The names of the options of a command.

    Args:
        prog: Name of the command.
        names: Full names with underscores, such as "training.batch_size".
        short: Full name of each short one, such as "batch_size".
        mappings: Full names of options that take names of their own behind a dot.
    """

    prog: str
    names: frozenset[str]
    short: Mapping[str, str]
    mappings: set[str]

    def resolve(self, word: str) -> str:
        """Return a word of the command line as the parser knows it; other words are returned as they are.

        Raises:
            ValueError: An option that the command does not have, or the beginning of one.

        Example:
            >>> spelling = Spelling(
            ...     "molzoo train", frozenset({"training.epochs"}), {"epochs": "training.epochs"}, set()
            ... )
            >>> spelling.resolve("--epochs=3")
            '--training.epochs=3'
        """
        if not OPTION.match(word):
            return word
        name, equals, value = word[2:].partition("=")
        return f"--{self.full(name)}{equals}{value}"

    def full(self, name: str) -> str:
        """Return the full name of an option, with its key in a mapping."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            head = ".".join(parts[:count]).replace("-", "_")
            head, rest = self.short.get(head, head), parts[count:]
            if head in self.names and (not rest or head in self.mappings):
                return ".".join([head, *rest])
        raise ValueError(f"{self.prog} has no option --{name}.{self.guess(name.replace('-', '_'))}")

    def guess(self, name: str) -> str:
        """Return a question with the option that was perhaps meant by a name with underscores; empty where none is."""
        name = {"learning_rate": "lr"}.get(name, name)
        for mapping, options in INSIDE.items():
            full = self.short.get(mapping, mapping)
            if name in options and full in self.names:
                return f" Did you mean {self.flag(full)}.{name}?"
        known, written = [self.flag(each)[2:] for each in sorted(self.names)], name.replace("_", "-")
        longer = [each for each in known if each.startswith(written)]
        return f" Did you mean --{longer[0]}?" if longer else suggest(written, known, 0.6, "--{}")

    def flag(self, name: str) -> str:
        """Return the flag of an option: its short name where there is one."""
        short = next((each for each, full in self.short.items() if full == name and "." in name), name)
        return "--" + short.replace("_", "-")


def is_mapping(action: Any) -> bool:
    """Return whether an option takes names of its own, such as `--model-args.hidden_size`."""
    hint = getattr(action, "_typehint", None)
    kinds = [get_origin(each) or each for each in (hint, *get_args(hint))]
    return any(isinstance(kind, type) and issubclass(kind, Mapping) for kind in kinds)
