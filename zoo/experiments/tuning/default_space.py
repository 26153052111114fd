"""Search space of a model and an optimizer, where nobody has written one.

It follows from the names and the defaults of their options: width, depth, dropout, learning rate, ρ, batch size. The
defaults lie in it and are tried first, so that a search ends no worse than without one. A model of a plugin may name
its own: `search` in its facts, as a specification would have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from zoo.learners.names import locate
from zoo.learners.signatures import constructor_options, optimizer_options
from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import NO_OPTIMIZER, Recipe
from zoo.registry.catalog import MODELS, OPTIMIZERS
from zoo.registry.plugins import load_plugins

WIDEST, NARROWEST = 512, 8
BATCH_SIZES = (16, 32, 64)
Rule = Callable[[Any, Mapping[str, Any]], Any]


def choose_width(width: int, options: Mapping[str, Any]) -> list[int] | None:
    """Half, once and twice the width, as far as the heads share it evenly and it stays affordable."""
    tried = sorted({max(width // 2, NARROWEST), width, 2 * width if 2 * width <= WIDEST else width})
    fitting = [each for each in tried if each % (options.get("num_heads") or 1) == 0]
    return fitting if len(fitting) > 1 else None


def choose_depth(depth: int, options: Mapping[str, Any]) -> dict[str, int]:
    """Up to two layers more or fewer; deep models only become shallower."""
    return {"low": max(1, depth - 2), "high": depth + 2 if depth < 8 else depth}


def choose_dropout(share: float, options: Mapping[str, Any]) -> dict[str, float]:
    """Search shares of a tenth to a half, and none."""
    return {"low": 0.0, "high": 0.5, "step": 0.1}


def around(factor: float) -> Rule:
    """Return the rule that searches up to `factor` times less and more, on a logarithmic scale."""

    def search(value: Any, options: Mapping[str, Any]) -> dict[str, Any] | None:
        positive = isinstance(value, (int, float)) and value > 0
        return {"low": value / factor, "high": value * factor, "log": True} if positive else None

    return search


MODEL_RULES: dict[str, Rule] = {
    "hidden_size": choose_width,
    "num_layers": choose_depth,
    "dropout": choose_dropout,
    "attention_dropout": choose_dropout,
    "max_features": lambda value, options: [None, 0.05, 0.1, 0.3],
    "min_leaf": lambda value, options: {"low": 1, "high": 16, "log": True},
    "max_leaves": lambda value, options: {"low": 7, "high": 63, "log": True},
    "learning_rate": around(5),
}
OPTIMIZER_RULES: dict[str, Rule] = {"lr": around(10), "rho": around(10), "weight_decay": around(100)}


def default_search(recipe: Recipe, fixed: Collection[str] = (), trust: bool = False) -> dict[str, Any]:
    """Make the search space of a recipe's model and optimizer, as `search` of a specification.

    Args:
        recipe: Its own options are not searched.
        fixed: More names that are not, such as "training.batch_size".
        trust: As in `zoo.load`.

    Raises:
        ValueError: Everything is fixed.

    Example:
        >>> default_search(Recipe("gcn", optimizer="sam"))["model_args.hidden_size"]
        [32, 64, 128]
    """
    load_plugins()
    given = {f"{part}.{name}" for part in ("model_args", "optimizer_args") for name in getattr(recipe, part)}
    space = apply_rules("model_args", MODEL_RULES, options_of(MODELS, recipe.model, recipe.model_args, trust))
    if recipe.optimizer != NO_OPTIMIZER:
        options = options_of(OPTIMIZERS, recipe.optimizer, recipe.optimizer_args, trust)
        space |= apply_rules("optimizer_args", OPTIMIZER_RULES, options)
        space["training.batch_size"] = list(BATCH_SIZES)
    if recipe.model in MODELS:
        space |= MODELS[recipe.model].facts.get("search", {})
    if "optimizer_args.rise" in given:  # it takes the place of a radius
        given.add("optimizer_args.rho")
    found = {name: values for name, values in space.items() if name not in given | set(fixed)}
    if not found:
        raise ValueError(
            f"nothing is left to search for {recipe.model!r}: give fewer options, or write a specification"
        )
    return found


def default_point(recipe: Recipe, search: Mapping[str, Any], trust: bool = False) -> dict[str, Any]:
    """Values that the searched options have by default, as far as the search may take them.

    Example:
        >>> recipe = Recipe("gcn")
        >>> default_point(recipe, default_search(recipe))["optimizer_args.lr"]
        0.001
    """
    model = options_of(MODELS, recipe.model, recipe.model_args, trust)
    known = {f"model_args.{name}": value for name, value in model.items()}
    if recipe.optimizer != NO_OPTIMIZER:
        options = options_of(OPTIMIZERS, recipe.optimizer, recipe.optimizer_args, trust)
        known |= {f"optimizer_args.{name}": value for name, value in options.items()}
    known["training.batch_size"] = (recipe.training or TrainingOptions()).batch_size
    return {name: known[name] for name, values in search.items() if name in known and may_be(known[name], values)}


def may_be(value: Any, values: Any) -> bool:
    """Return whether a range, or a list of choices, has a value."""
    if isinstance(values, Mapping) and "choices" not in values:
        return isinstance(value, (int, float)) and values["low"] <= value <= values["high"]
    return value in (values["choices"] if isinstance(values, Mapping) else values)


def apply_rules(section: str, rules: Mapping[str, Rule], options: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges of the options that have a rule."""
    found = {name: rule(options[name], options) for name, rule in rules.items() if name in options}
    return {f"{section}.{name}": values for name, values in found.items() if values is not None}


def options_of(registry: Any, name: str, given: Mapping[str, Any], trust: bool) -> dict[str, Any]:
    """Return the options of a part with the values that they have where nothing is searched."""
    defaults = dict(registry[name].defaults) if name in registry else {}
    part = locate(registry, name, trust)
    target = registry[part].resolve() if isinstance(part, str) else part
    if registry is OPTIMIZERS:
        rule, base = optimizer_options(target, given.get("base", defaults.get("base", "adam")))
        return {**base, **rule, **defaults, **given}
    return {**constructor_options(target), **defaults, **given}


def describe_search(search: Mapping[str, Any]) -> list[str]:
    """Describe a space, one line for each option.

    Example:
        >>> describe_search({"model_args.num_layers": {"low": 1, "high": 4}, "training.batch_size": [16, 32]})
        ['model_args.num_layers    1 to 4', 'training.batch_size      16, 32']
    """
    lines = []
    for name, values in search.items():
        if isinstance(values, Mapping) and "choices" not in values:
            step = (
                f" in steps of {values['step']:g}" if values.get("step") else ", logarithmic" * bool(values.get("log"))
            )
            text = f"{values['low']:g} to {values['high']:g}{step}"
        else:
            text = ", ".join(map(str, values["choices"] if isinstance(values, Mapping) else values))
        lines.append(f"{name:<25}{text}")
    return lines
