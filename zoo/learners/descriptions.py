"""Looking around in the zoo: what there is, and what each part accepts.

torch is imported only where numbers of parameters are asked for, and for parts whose source cannot be read.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.data.reading.sets import ENTRIES
from zoo.learners.common_options import TEXTS
from zoo.learners.reserved import SET_BY_FACTORY, SET_BY_TRAINING
from zoo.recipe.options import TrainingOptions
from zoo.recipe.presets import find, list_recipes
from zoo.registry import source
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS, REGISTRIES, SPLITS, WEIGHTS
from zoo.registry.docstrings import arguments_of, arguments_of_class
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Entry, Registry, UnknownName

BASE = "torch.optim.adam:Adam"
# Arguments that nobody gives.
FILLED = {"optimizer": ("params",), "split": ("dataset", "seed"), "model": SET_BY_FACTORY, "featurizer": SET_BY_FACTORY}
CALLED = ("split", "metric", "format", "explainer", "domain")  # functions: what they require comes from their caller
FRACTIONS = (0.8, 0.1, 0.1)
WIDTH, LONGEST_NAME, LONGEST_VALUE = 100, 24, 16


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
        kind: "model", "optimizer", "featurizer", "task", "split", "metric", "format" or "estimator".
        entry: Its line in the catalog.
        options: What it accepts, with the defaults under this name.
        parameters: Number of trainable parameters with default options and one task (models only).
        texts: Explanation of each option.
    """

    kind: str
    entry: Entry[Any]
    options: dict[str, Any]
    parameters: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.entry.name}: {self.entry.summary}"]
        if self.entry.reference:
            lines.append(f"  reference   {self.entry.reference}")
        lines += [
            f"  {fact:<11} {format_default(value)}"
            for fact, value in self.entry.facts.items()
            if fact != "legacy_defaults"
        ]
        if self.parameters is not None:
            lines.append(f"  parameters  {self.parameters:,}")
        lines.append("  options" if self.options else "  no options")
        for name, value in self.options.items():
            lines += explained(name, format_default(value), self.texts.get(name, ""))
        return "\n".join(lines)


@dataclass(frozen=True)
class Page:
    """A recipe, a data set or a folder of what was trained; its text is meant for reading.

    Args:
        kind: "recipe", "data set", "learner" or "ensemble".
        name: What users call it.
        summary: One line.
        rows: What it holds.
    """

    kind: str
    name: str
    summary: str
    rows: Mapping[str, str]

    def __str__(self) -> str:
        width = max(map(len, self.rows)) + 1
        lines = textwrap.wrap(f"{self.kind} {self.name}: {self.summary}", WIDTH, subsequent_indent="  ")
        for name, value in self.rows.items():
            first, *rest = textwrap.wrap(value, WIDTH - width - 2, break_on_hyphens=False)
            lines += [f"  {name:<{width}}{first}", *(" " * (width + 2) + line for line in rest)]
        return "\n".join(lines)


class Descriptions(tuple):
    """All parts of one name: a model and a featurizer may share it."""

    def __str__(self) -> str:
        return "\n\n".join(str(description) for description in self)

    __repr__ = __str__


def explained(name: str, value: str, text: str) -> list[str]:
    """Lines of one option: name, default, explanation."""
    head = f"    {name:<{LONGEST_NAME}} {value:<{LONGEST_VALUE}} "
    indent = " " * len(f"    {'':<{LONGEST_NAME}} {'':<{LONGEST_VALUE}} ")
    lines = textwrap.wrap(text, WIDTH - len(indent), break_on_hyphens=False) or [""]
    if len(head) > len(indent):
        return [head.rstrip(), *(indent + line for line in lines if line)]
    return [(head + lines[0]).rstrip(), *(indent + line for line in lines[1:])]


def format_default(value: Any) -> str:
    """A default, or a fact, as text."""
    if value is source.REQUIRED:
        return "(required)"
    if isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) and value else repr(value)


def describe(name: str, *, parameters: bool = True) -> Descriptions:
    """Everything that has this name: summary, reference, options with defaults and explanations.

    Args:
        name: Of a model, an optimizer, a featurizer, a kind of target, a split, a metric, a format, a recipe or a data
            set; or the folder of a checkpoint, a run or an ensemble.
        parameters: Count the trainable parameters of models, which imports torch and builds them.

    Raises:
        UnknownName: Nothing has it.

    Example:
        >>> import zoo
        >>> zoo.describe("graphsam")[0].options["rho"]
        0.05
    """
    load_plugins()
    found: list[Any] = [
        describe_entry(registry, registry[name], parameters) for registry in REGISTRIES.values() if name in registry
    ]
    found += [page for page in (describe_recipe(name), describe_dataset(name)) if page is not None]
    if not found and Path(name).is_dir():
        from zoo.learners.trained_folder import describe_folder  # imports torch

        found.append(Page(*describe_folder(name)))
    if not found:
        known = [n for registry in REGISTRIES.values() for n in registry.names()]
        raise UnknownName("name", name, [*known, *list_recipes(), *(entry.name for entry in ENTRIES)])
    return Descriptions(found)


def describe_recipe(name: str) -> Page | None:
    """A named recipe with the fields that it sets, or None."""
    name = name.lower().replace("_", "-")
    summary = list_recipes().get(name)
    if summary is None:
        return None
    values = {key: value for key, value in find(name).to_dict().items() if value not in (None, {}, ())}
    training = values.pop("training", {})
    changed = {key: value for key, value in training.items() if value != getattr(TrainingOptions, key)}
    rows = {**values, **({"training": changed} if changed else {})}
    use = f"molzoo train --recipe {name} --data FILE"
    return Page("recipe", name, summary, {**{key: format_default(value) for key, value in rows.items()}, "use": use})


def describe_dataset(name: str) -> Page | None:
    """A data set that is known by name, or None."""
    known = next((entry for entry in ENTRIES if entry.name == name.lower()), None)
    if known is None:
        return None
    tasks = ", ".join(known.tasks) if known.tasks else "all columns but the SMILES"
    place = "in the package" if known.embedded else f"{known.file}, from --data-dir, MOLZOO_DATA or MoleculeNet's host"
    rows = {"task": known.task, "metric": known.metric, "labels": tasks, "SMILES": known.smiles_column, "file": place}
    return Page("data set", known.name, known.summary, rows)


def describe_entry(registry: Registry[Any], entry: Entry[Any], parameters: bool = True) -> Description:
    """Describe one part with its options and, for a model, its size."""
    options, texts = accepted(registry, entry)
    size = None
    if parameters and registry is MODELS:
        from zoo.learners.sizes import count_parameters

        size = count_parameters(entry)
    return Description(registry.kind, entry, {**options, **entry.defaults}, size, {**TEXTS, **texts})


def accepted(registry: Registry[Any], entry: Entry[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Options of a part with their defaults, and their explanations; from the source where that has them."""
    if registry is WEIGHTS:
        return {}, {}
    try:
        if not isinstance(entry.target, str):
            raise source.NotInSource(f"{entry.name} is an object")
        options, texts = source.options(entry.target), source.explanations(entry.target)
        found = source.find(entry.target)
        rule = registry is OPTIMIZERS and found.has_base("SharpnessAware")
        base = source.options(BASE) if rule else {}
        if rule and (fixed := found.attribute("fixed_options")):
            options |= {name: value for name, value in source.evaluate(*fixed).items() if name in options}
    except source.NotInSource:
        options, texts, base = from_object(registry, entry.resolve())
    if base:
        options = {name: value for name, value in options.items() if name not in (*SET_BY_TRAINING, "base")}
        options |= {"base": "adam", "perturb": "all", **base}
        texts |= {name: TEXTS[name] for name in ("base", "perturb")}
    if registry is SPLITS and "fractions" in options:
        options["fractions"] = FRACTIONS
    called = registry.kind in CALLED
    hidden = {name for name, value in options.items() if called and value is source.REQUIRED}
    hidden |= set(FILLED.get(registry.kind, ()))
    return {name: value for name, value in options.items() if name not in hidden}, texts


def from_object(registry: Registry[Any], target: Any) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Options, explanations and options of the base optimizer of a class or function."""
    from zoo.learners.signatures import constructor_options, optimizer_options

    own = getattr(target, "config_class", target)
    texts = arguments_of_class(own) if isinstance(own, type) else arguments_of(own.__doc__)
    if registry is OPTIMIZERS:
        options, base = optimizer_options(target)
        return options, texts, base
    return constructor_options(target), texts, {}
