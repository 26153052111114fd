"""Looking around in the zoo: what there is, and what each part accepts."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from zoo.learners.signatures import SET_BY_FACTORY, constructor_options, optimizer_options
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Entry, Registry, UnknownName

REGISTRIES: tuple[Registry[Any], ...] = (MODELS, OPTIMIZERS, FEATURIZERS)


def list_models() -> list[str]:
    """Names of all models."""
    load_plugins()
    return MODELS.names()


def list_optimizers() -> list[str]:
    """Names of all optimizers."""
    load_plugins()
    return OPTIMIZERS.names()


def list_featurizers() -> list[str]:
    """Names of all featurizers."""
    load_plugins()
    return FEATURIZERS.names()


@dataclass(frozen=True)
class Description:
    """A part of the zoo with its options; its text is meant for reading.

    Args:
        kind: "model", "optimizer" or "featurizer".
        entry: Its line in the catalog.
        options: What it accepts, with the defaults under this name.
        parameters: Number of trainable parameters with default options and one task (models only).
    """

    kind: str
    entry: Entry[Any]
    options: dict[str, Any]
    parameters: int | None = None

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.entry.name}: {self.entry.summary}"]
        if self.entry.reference:
            lines.append(f"  reference   {self.entry.reference}")
        lines += [f"  {fact:<11} {value}" for fact, value in self.entry.facts.items()]
        if self.parameters is not None:
            lines.append(f"  parameters  {self.parameters:,}")
        width = max(map(len, self.options), default=0)
        lines.append("  options")
        lines += [f"    {name:<{width}}  {shown(value)}" for name, value in self.options.items()]
        return "\n".join(lines)


class Descriptions(tuple):
    """All parts of one name: a model and a featurizer may share it."""

    def __str__(self) -> str:
        return "\n\n".join(str(description) for description in self)

    __repr__ = __str__


def shown(value: Any) -> str:
    """A default as text."""
    return "(required)" if value is inspect.Parameter.empty else repr(value)


def describe(name: str) -> Descriptions:
    """Everything that has this name: summary, reference, options and defaults.

    Raises:
        UnknownName: Nothing has it.

    Example:
        >>> import zoo
        >>> zoo.describe("graphsam")[0].options["rho"]
        0.05
    """
    load_plugins()
    found = [describe_entry(registry, registry[name]) for registry in REGISTRIES if name in registry]
    if not found:
        raise UnknownName("name", name, [n for registry in REGISTRIES for n in registry.names()])
    return Descriptions(found)


def describe_entry(registry: Registry[Any], entry: Entry[Any]) -> Description:
    """One part with its options and, for a model, its size."""
    cls = entry.resolve()
    if registry is OPTIMIZERS:
        rule, base = optimizer_options(cls)
        options = {**rule, "base": "adam", **base} if base else rule
    else:
        options = {k: v for k, v in constructor_options(cls).items() if k not in SET_BY_FACTORY}
    size = count_parameters(entry) if registry is MODELS else None
    return Description(registry.kind, entry, {**options, **entry.defaults}, size)


def count_parameters(entry: Entry[Any]) -> int | None:
    """Trainable parameters of a model with default options and one task, without allocating them; trees have none."""
    import torch

    from zoo.learners.baselines import TaskEstimators
    from zoo.learners.parts import make_featurizer, make_model
    from zoo.recipe.recipe import Recipe

    if issubclass(entry.resolve(), TaskEstimators):
        return None
    recipe = Recipe(entry.name, featurizer=entry.facts.get("featurizer", "grover"))
    with torch.device("meta"):
        model = make_model(entry.name, recipe, make_featurizer(recipe.featurizer, recipe))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
