"""Starting from the weights of a checkpoint: what is taken, what is new, what is left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.learners.reserved import SET_BY_FACTORY
from zoo.recipe.mapping import from_mapping
from zoo.recipe.recipe import Recipe
from zoo.recipe.start import StartOptions
from zoo.registry.catalog import FEATURIZERS, MODELS
from zoo.runs import checkpoint
from zoo.runs.checkpoint import Checkpoint, CheckpointError
from zoo.training.parts import check_parts, layers_of

HEAD = "head"


@dataclass(frozen=True)
class Transfer:
    """Outcome of starting from a checkpoint.

    Args:
        source: The checkpoint's folder.
        taken: Weights by part: number of tensors, number of values.
        new: The same for weights that are initial ones.
        left_out: The same for weights of the checkpoint that are not used.
    """

    source: str
    taken: Mapping[str, tuple[int, int]]
    new: Mapping[str, tuple[int, int]]
    left_out: Mapping[str, tuple[int, int]]

    def lines(self) -> list[str]:
        """Return a table, one line for each part.

        Example:
            >>> Transfer("run", {"encoder": (2, 30)}, {"head": (1, 8)}, {}).lines()
            ['encoder from run: 2 tensors, 30 weights', 'head new: 1 tensor, 8 weights']
        """
        named = ((f"from {self.source}", self.taken), ("new", self.new), ("not used", self.left_out))
        return [
            f"{part} {what}: {tensors} tensor{'s' * (tensors != 1)}, {values:,} weight{'s' * (values != 1)}"
            for what, parts in named
            for part, (tensors, values) in parts.items()
        ]


def start_of(init: str | os.PathLike[str] | StartOptions | Mapping[str, Any] | None) -> StartOptions | None:
    """Return options of the start from a path, from options or from a mapping of them."""
    if init is None or isinstance(init, StartOptions):
        return init
    return from_mapping(StartOptions, init if isinstance(init, Mapping) else {"init": os.fspath(init)})


def parts_of(start: StartOptions, model: Any, featurizer: Any) -> tuple[Any, Any]:
    """Return model and featurizer of the checkpoint to start from where they were not named."""
    saved = checkpoint.read(start.init or "").recipe
    return saved.model if model is None else model, saved.featurizer if featurizer is None else featurizer


def with_parts_of(recipe: Recipe, path: str) -> Recipe:
    """Return a recipe with the model and the featurizer of a checkpoint; their options are read where it is built."""
    model, featurizer = parts_of(StartOptions(init=path), None, None)
    return replace(recipe, model=model, featurizer=featurizer, model_args={}, featurizer_args={})


def adopt(recipe: Recipe) -> Recipe:
    """Return a recipe whose options of model and featurizer are those of the checkpoint to start from.

    Args:
        recipe: Its `model_args` and `featurizer_args` override the checkpoint's.

    Raises:
        CheckpointError: There is no checkpoint, or its model is another one.
    """
    start = recipe.start
    if start is None or start.init is None:
        return recipe
    saved = checkpoint.read(start.init)
    for registry, name in ((MODELS, "model"), (FEATURIZERS, "featurizer")):
        asked, found = getattr(recipe, name), getattr(saved.recipe, name)
        if canonical(registry, asked) != canonical(registry, found):
            raise CheckpointError(f"{start.init} holds {name} {found!r}, and {asked!r} was asked for: leave {name} out")
    model, featurizer = saved.fitted.model or saved.recipe.model_args, saved.fitted.featurizer
    return replace(
        recipe,
        model_args={**own_options(model), **recipe.model_args},
        featurizer_args={**own_options(featurizer or saved.recipe.featurizer_args), **recipe.featurizer_args},
    )


def canonical(registry: Any, name: str) -> str:
    """Return the catalog's name of a part."""
    return registry[name].name if ":" not in name else name


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a recipe may give: those that the factory sets are left out."""
    return {name: value for name, value in options.items() if name not in SET_BY_FACTORY}


def transfer(model: nn.Module, start: StartOptions) -> Transfer:
    """Put the weights of a checkpoint into a model.

    Args:
        model: Newly built; changed in place.
        start: With `init`.

    Returns:
        What was taken, and what was not.

    Raises:
        CheckpointError: A weight of the encoder is missing or has another shape, or the head does not fit.
    """
    saved = checkpoint.read(start.init or "")
    if start.keep_head:
        saved.fitted.require_trained()
    tensors, own = read_weights(saved), model.state_dict()
    fresh = {*reset_names(model, start), *(name for name in own if part_of(name) == HEAD and not start.keep_head)}
    wanted = [name for name in own if name not in fresh]
    for name in wanted:
        if name not in tensors or tensors[name].shape != own[name].shape:
            found = f"has shape {tuple(tensors[name].shape)}" if name in tensors else "is missing"
            remedy = "; leave keep_head out for a new head" if part_of(name) == HEAD else ""
            raise CheckpointError(f"{start.init}: {name} {found}, the model needs {tuple(own[name].shape)}{remedy}")
    with torch.no_grad():
        for name in wanted:
            own[name].copy_(tensors[name])
    unused = {name: tensor for name, tensor in tensors.items() if name not in wanted}
    return Transfer(
        str(start.init),
        count_by_part({name: own[name] for name in wanted}),
        count_by_part({name: own[name] for name in own if name in fresh}),
        count_by_part(unused),
    )


def start_weights(model: Any, recipe: Recipe) -> Transfer | None:
    """Put the weights into a new model that its recipe starts from, if any, and check the parts that it names."""
    start = recipe.start
    if start is None:
        return None
    if not isinstance(model, nn.Module):
        raise TypeError(f"model {recipe.model!r} has no weights to start from, to freeze or to train at other rates")
    check_parts(model, start.freeze)
    return None if start.init is None else transfer(model, start)


def reset_names(model: nn.Module, start: StartOptions) -> set[str]:
    """Return the names of the weights in the last layers of the encoder that start anew."""
    if not start.reset_layers:
        return set()
    check_parts(model, ["encoder"])
    layers = layers_of(model.get_submodule("encoder"))
    if start.reset_layers > len(layers):
        raise ValueError(f"reset_layers={start.reset_layers}: the encoder has {len(layers)} layers")
    chosen_modules = {id(layer) for layer in layers[len(layers) - start.reset_layers :]}
    prefixes = tuple(f"{name}." for name, module in model.named_modules() if id(module) in chosen_modules)
    return {name for name in model.state_dict() if name.startswith(prefixes)}


def read_weights(saved: Checkpoint) -> dict[str, Tensor]:
    """Read the weights of a checkpoint by name.

    Raises:
        CheckpointError: The file is damaged, or the checkpoint holds no torch model.
    """
    file = saved.path / checkpoint.WEIGHTS
    try:
        return safetensors.torch.load_file(file)
    except (safetensors.SafetensorError, OSError) as error:
        raise checkpoint.damage_error(file, error) from error


def part_of(name: str) -> str:
    """Return the part of a model that a weight belongs to."""
    return name.partition(".")[0]


def count_by_part(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, int]]:
    """Return the number of tensors and of values by part."""
    counts: dict[str, tuple[int, int]] = {}
    for name, tensor in tensors.items():
        number, values = counts.get(part_of(name), (0, 0))
        counts[part_of(name)] = (number + 1, values + tensor.numel())
    return counts
