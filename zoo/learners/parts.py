"""Making the parts of a learner: a name, a class or a finished object becomes a featurizer, a model, an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

import optim
from featurizers import Featurizer
from featurizers.needs import HasNeeds
from zoo.learners.baselines import TaskEstimators
from zoo.learners.building import building
from zoo.learners.names import Part, find
from zoo.learners.plans import Plan, options_of_ready, storable
from zoo.learners.reserved import SET_BY_FACTORY
from zoo.learners.side_input import model_of_several, read_side_input, require_descriptors_read, side_size
from zoo.learners.signatures import check_options, constructor_options, optimizer_options
from zoo.recipe.fitted import Fitted
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import FEATURIZERS, MODELS, OPTIMIZERS
from zoo.registry.registry import Entry, Registry
from zoo.tasks import make_task
from zoo.training.parts import groups_of

RATE = 1e-3
"""Learning rate where none is given."""


def options_of(
    part: str | type,
    registry: Registry[Any],
    given: Mapping[str, Any],
    fitted: Fitted | None = None,
    saved: Mapping[str, Any] | None = None,
) -> tuple[str, Any, dict[str, Any]]:
    """Return name, class and options of a named part or a class.

    Args:
        part: What was asked for.
        registry: Where its name is.
        given: Options that were given.
        fitted: Of the checkpoint that the part comes from.
        saved: All options of the part, from that checkpoint. One without them was written when the defaults were
            `legacy_defaults`, of the class and of the entry.
    """
    entry = find(registry, part) if isinstance(part, str) else Entry("part", part, "")
    cls = entry.resolve()
    name = f"{registry.kind} {part!r}" if isinstance(part, str) else f"{registry.kind} {cls.__name__}"
    if saved is not None:
        return name, cls, dict(saved)
    if fitted is None:
        return name, cls, {**entry.defaults, **given}
    of_class = getattr(getattr(cls, "config_class", cls), "legacy_defaults", {})
    of_class = {option: value for option, value in of_class.items() if option not in SET_BY_FACTORY}
    return name, cls, {**of_class, **entry.defaults, **entry.facts.get("legacy_defaults", {}), **given}


def is_ready(part: Part, kind: type | tuple[type, ...], registry: Registry[Any], given: Mapping[str, Any]) -> bool:
    """Return whether a part is a finished object; options for one would be dropped, so they are an error."""
    if not isinstance(part, kind):
        if isinstance(part, (str, type)):
            return False
        raise TypeError(f"{registry.kind}={part!r}: give a name, a class or a finished {registry.kind}")
    if given:
        raise TypeError(
            f"{registry.kind} {type(part).__name__} is built already: its options {dict(given)} have no effect"
        )
    return True


def plan_featurizer(part: str | type, recipe: Recipe, fitted: Fitted | None = None) -> Plan:
    """Choose the featurizer's class and options: those of a checkpoint where there is one, else the recipe's."""
    saved = None if fitted is None else fitted.featurizer
    name, cls, options = options_of(part, FEATURIZERS, recipe.featurizer_args, fitted, saved)
    check_options(name, options, constructor_options(cls))
    return Plan.of(cls, options)


def featurizer_of(part: Part, recipe: Recipe, fitted: Fitted | None = None) -> tuple[Featurizer, dict | None]:
    """Build the featurizer, or take a finished one; its options as JSON can hold them."""
    if is_ready(part, Featurizer, FEATURIZERS, recipe.featurizer_args):
        return part, options_of_ready(part)  # type: ignore[return-value]
    plan = plan_featurizer(part, recipe, fitted)  # type: ignore[arg-type]
    return plan.make(), storable(plan.options)


def make_featurizer(part: Part, recipe: Recipe) -> Featurizer:
    """Build the featurizer."""
    return featurizer_of(part, recipe)[0]


def plan_model(part: str | type, recipe: Recipe, featurizer: Featurizer, fitted: Fitted | None = None) -> Plan:
    """Choose the model's class and options, sized for the featurizer and the tasks; otherwise as `plan_featurizer`."""
    saved = None if fitted is None else fitted.model
    name, cls, options = options_of(part, MODELS, recipe.model_args, fitted, saved)
    accepted = constructor_options(cls)
    check_options(name, options, set(accepted) - (set(SET_BY_FACTORY) if saved is None else set()))
    sizes = featurizer.sizes
    missing = cls.needs.missing(sizes) if isinstance(cls, HasNeeds) else []
    if missing:
        raise ValueError(f"{name} needs {' and '.join(missing)}, and featurizer {recipe.featurizer!r} has none")
    kind, tasks = recipe.task or "classification", recipe.num_tasks or 1
    task = make_task(kind, recipe.task_args)
    itself = isinstance(cls, type) and issubclass(cls, TaskEstimators)
    scores = tasks if itself else task.count_scores(tasks)
    counts = {"num_tasks": scores, "num_classes": recipe.task_args.get("num_classes", 0)}
    given = {**counts, "task": kind, "kinds": getattr(task, "kinds", ()), "seed": recipe.seed}
    given["criterion"] = getattr(task, "loss", "")
    given |= {**sizes, "descriptor_size": side_size(recipe, featurizer)}
    return Plan.of(cls, {**{key: value for key, value in given.items() if key in accepted}, **options})


def model_of(
    part: Part, recipe: Recipe, featurizer: Featurizer, fitted: Fitted | None = None
) -> tuple[nn.Module, dict | None]:
    """Build the model, sized for the featurizer and the tasks, or take a finished one; its options, as for JSON."""
    size = side_size(recipe, featurizer)
    if is_ready(part, (nn.Module, TaskEstimators), MODELS, recipe.model_args):
        reads = getattr(getattr(part, "config", None), "descriptor_size", None)
        if recipe.smiles_columns:
            raise ValueError("a finished model reads one molecule in a row: give the name of one, or its class")
        if reads is not None:
            require_descriptors_read(f"model {type(part).__name__}", reads, size)
        elif recipe.feature_names and isinstance(part, nn.Module):
            read_side_input(part, size, featurizer)
        return part, options_of_ready(part)  # type: ignore[return-value]
    plan = plan_model(part, recipe, featurizer, fitted)  # type: ignore[arg-type]
    model = plan.make()
    if isinstance(model, nn.Module) and recipe.smiles_columns:
        return model_of_several(plan, model, recipe, featurizer)
    if size and isinstance(model, nn.Module) and "descriptor_size" not in plan.options:
        read_side_input(model, size, featurizer)
    return model, storable(plan.options)


def make_model(part: Part, recipe: Recipe, featurizer: Featurizer) -> nn.Module:
    """Build the model, sized for the featurizer and the tasks."""
    return model_of(part, recipe, featurizer)[0]


def make_optimizer(part: Part, recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer over the model's parameters."""
    if isinstance(part, torch.optim.Optimizer):
        is_ready(part, torch.optim.Optimizer, OPTIMIZERS, recipe.optimizer_args)
        own = {id(p) for p in model.parameters()}
        if not all(id(p) in own for group in part.param_groups for p in group["params"]):
            name = type(part).__name__
            raise ValueError(f"optimizer {name} holds parameters that are not the model's: build it from them")
        return part
    name, cls, options = options_of(part, OPTIMIZERS, recipe.optimizer_args)  # type: ignore[arg-type]
    groups = groups_of(model, recipe.start, options.get("lr", RATE))
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not issubclass(cls, optim.SharpnessAware):
        check_options(name, options, optimizer_options(cls)[0])
        with building(name, options):
            return cls(groups, **with_kernel(cls, parameters, options))
    base, perturb = options.pop("base", "adam"), options.pop("perturb", "all")
    rule_options, base_options = optimizer_options(cls, base)
    check_options(name, options, {*rule_options, *base_options, "base", "perturb"})
    base_args = {"lr": RATE, **{key: value for key, value in options.items() if key not in rule_options}}
    rule_args = {key: value for key, value in options.items() if key in rule_options}
    base_args = with_kernel(optim.resolve_base(base), parameters, base_args)
    with building(name, recipe.optimizer_args):
        return cls.from_params(perturbed_groups(model, groups, perturb), base, base_args, **rule_args)


def perturbed_groups(model: nn.Module, parameters: list[Any], perturb: str) -> list[Any]:
    """Return the parameters, in groups where a rule perturbs normalization layers only.

    Raises:
        ValueError: `perturb` is neither "all" nor "norms", the model has no such layers, or they are in groups already.
    """
    if perturb not in ("all", "norms"):
        raise ValueError(f"perturb={perturb!r}: choose all, or norms for normalization layers only")
    if perturb == "all":
        return list(parameters)
    if parameters and isinstance(parameters[0], dict):
        raise ValueError("perturb='norms' and learning rates by part (lr_encoder, layer_decay) exclude each other")
    trained = set(map(id, parameters))
    groups = optim.norm_only_groups(model)
    return [{**group, "params": [p for p in group["params"] if id(p) in trained]} for group in groups]


def with_kernel(
    cls: type[torch.optim.Optimizer], parameters: list[nn.Parameter], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options of a torch optimizer with its fused kernel, where there is one and none was asked for."""
    chosen = not {"fused", "foreach", "capturable", "differentiable"}.isdisjoint(options)
    return options if chosen else {**optim.fused_option(cls, parameters), **options}


def resolve_device(device: str | torch.device) -> torch.device:
    """The device; "auto" is a GPU where torch finds one, else the CPU.

    Raises:
        ValueError: torch knows no such device, or finds none here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is unknown: choose auto, cpu, cuda, cuda:1, ...") from error
    require_device(chosen)
    return chosen


def require_device(device: torch.device) -> None:
    """Raise a `ValueError` where torch does not find a GPU that was asked for."""
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            found = f"torch finds {count} of them" if count else "torch finds no GPU here (or was built without CUDA)"
            raise ValueError(
                f"device={str(device)!r}: {found}: choose auto or cpu" + (", or a lower one" * (count > 0))
            )
