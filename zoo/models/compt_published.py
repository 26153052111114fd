"""Options and weights as published with CoMPT, to ours and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from zoo.models.compt import Compt, ComptConfig

OPTION_NAMES = {
    "d_atom": "atom_size",
    "d_edge": "bond_size",
    "d_model": "hidden_size",
    "N": "num_layers",
    "h": "num_heads",
    "N_dense": "ffn_num_layers",
    "n_generator_layers": "head_num_layers",
    "n_output": "num_tasks",
    "distance_matrix_kernel": "distance_kernel",
    "dropout": "dropout",
    "max_length": "max_positions",
}
FIXED_OPTIONS = {"dense_output_nonlinearity": "mish", "aggregation_type": "gru"}

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "esol": {"num_layers": 3, "distance_kernel": "softmax", "norm": "scale", "loss": "rmse"},
        "freesolv": {"num_layers": 3, "distance_kernel": "softmax", "norm": "scale", "loss": "rmse"},
        "lipophilicity": {"num_layers": 3, "num_heads": 8, "loss": "rmse"},
        "qm7": {"num_layers": 6, "norm": "scale", "loss": "mae"},
        "bbbp": {},
        "tox21": {"num_layers": 8, "head_num_layers": 4},
        "sider": {"distance_kernel": "softmax", "norm": "scale"},
        "clintox": {},
        "bace": {"num_heads": 8},
    }
)
"""The options (`model_args`) that the authors chose for each data set, where they differ from `ComptConfig`.

They trained 150 epochs in batches of 32 and stopped after 20 without progress. Their learning rate rises over 30
epochs, then falls with the root of the step: `f / sqrt(256) * min(n^-0.5, n * warmup^-1.5)` with the factor f of
`WARMUP_FACTORS`.
"""

WARMUP_FACTORS: Mapping[str, float] = MappingProxyType(
    {
        "esol": 0.1,
        "freesolv": 0.15,
        "lipophilicity": 0.15,
        "qm7": 0.1,
        "bbbp": 0.2,
        "tox21": 0.1,
        "sider": 0.2,
        "clintox": 0.15,
        "bace": 0.1,
    }
)


def config_from_published(
    args: Mapping[str, Any], released_padding: bool = True, padded_length: int | None = None
) -> ComptConfig:
    """Make our config from published options.

    Args:
        args: With the mappings "model_params" and "train_params".
        released_padding: Predict as the released code does, padding included.
        padded_length: What it pads to; `None` takes its "max_length", 0 the longest molecule of a batch.

    Raises:
        ValueError: An option that this model does not reproduce.
    """
    model, training = args["model_params"], args["train_params"]
    for name, value in FIXED_OPTIONS.items():
        if model.get(name, value) != value:
            raise ValueError(f"{name}={model[name]!r}: only {value!r} is reproduced (the released code's own choice)")
    options = {ours: model[theirs] for theirs, ours in OPTION_NAMES.items()}
    length = model["max_length"] if padded_length is None else padded_length
    return ComptConfig(
        **options,
        task=training["task"],
        loss=training["loss_function"],
        norm="scale" if model["scale_norm"] else "layer",
        released_padding=released_padding,
        padded_length=length if released_padding else 0,
    )


def links(config: ComptConfig) -> Iterator[tuple[str, str]]:
    """Return published name and our name of every shared tensor."""
    yield "pos_embed.pe.weight", "encoder.positions.weight"
    yield from _linear("node_embed.lut", "encoder.atom_embedding")
    yield "edge_embed.lut.weight", "encoder.bond_embedding.weight"
    for number in range(config.num_layers):
        theirs, ours = f"encoder.layers.{number}", f"encoder.layers.{number}"
        yield from _norm(f"{theirs}.norm", f"{ours}.norm", config)
        yield f"{theirs}.self_attn.attenuation_lambda", f"{ours}.attention.decay"
        yield f"{theirs}.self_attn.linears.1.weight", f"{ours}.attention.key.weight"
        for place, part in ((0, "query"), (2, "value"), (3, "output")):
            yield from _linear(f"{theirs}.self_attn.linears.{place}", f"{ours}.attention.{part}")
        for place in range(config.ffn_num_layers):
            yield from _linear(f"{theirs}.feed_forward.linears.{place}", f"{ours}.feed_forward.{place}")
    yield from _norm("encoder.norm", "encoder.norm", config)
    yield "generator.bias", "head.readout.bias"
    for end in ("l0", "l0_reverse"):
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            yield f"generator.gru.{part}_{end}", f"head.readout.gru.{part}_{end}"
    yield from _linear("generator.linear", "head.readout.merge")
    last = config.head_num_layers - 1
    for number in range(last):  # their list: linear, Mish, norm, dropout, linear, ...
        yield from _linear(f"generator.proj.{4 * number}", f"head.hidden.{number}")
        yield from _norm(f"generator.proj.{4 * number + 2}", f"head.norms.{number}", config)
    yield from _linear(f"generator.proj.{4 * last}", "head.output")


def from_published(state_dict: Mapping[str, Tensor], config: ComptConfig) -> dict[str, Tensor]:
    """Make our state dict from a published one.

    Raises:
        KeyError: A tensor is missing.
    """
    missing = [theirs for theirs, _ in links(config) if theirs not in state_dict]
    if missing:
        raise KeyError(f"the published state dict lacks {len(missing)} tensors, first {missing[0]!r}: other options?")
    ours = {ours: state_dict[theirs] for theirs, ours in links(config)}
    ours["encoder.positions.weight"] = ours["encoder.positions.weight"][1:]  # row 0 is that of padding
    return ours


def to_published(model: Compt, unused: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Make the published state dict of a model.

    Args:
        model: Ours, with a table of positions.
        unused: Published tensors without a use here, as `unused_tensors` gives them; zeros where it is `None`.

    Returns:
        Copies of all tensors by their published names.
    """
    unused = _zeros(model) if unused is None else unused
    result = published_tensors(model.state_dict(), model.config)
    table = [unused["pos_embed.pe.weight"], result["pos_embed.pe.weight"]]
    return {**unused, **result, "pos_embed.pe.weight": torch.cat(table)}


def published_tensors(tensors: Mapping[str, Tensor], config: ComptConfig) -> dict[str, Tensor]:
    """Copies of tensors named like our parameters (weights or gradients), by their published names."""
    return {theirs: tensors[ours].detach().clone() for theirs, ours in links(config) if ours in tensors}


def unused_tensors(state_dict: Mapping[str, Tensor], config: ComptConfig) -> dict[str, Tensor]:
    """Return what a published state dict holds beyond the parameters of this config.

    These are the weights of the discarded edge update, biases that cancel in the softmax, and the row of the table of
    positions that padding has.
    """
    used = {theirs for theirs, _ in links(config)}
    unused = {name: tensor for name, tensor in state_dict.items() if name not in used}
    return unused | {"pos_embed.pe.weight": state_dict["pos_embed.pe.weight"][:1]}


def _linear(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    yield f"{theirs}.weight", f"{ours}.weight"
    yield f"{theirs}.bias", f"{ours}.bias"


def _norm(theirs: str, ours: str, config: ComptConfig) -> Iterator[tuple[str, str]]:
    if config.norm == "scale":
        yield f"{theirs}.scale", f"{ours}.scale"
    else:
        yield f"{theirs}.a_2", f"{ours}.weight"
        yield f"{theirs}.b_2", f"{ours}.bias"


def _zeros(model: Compt) -> dict[str, Tensor]:
    D = model.config.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"pos_embed.pe.weight": (1, D), "edge_embed.lut.bias": (D,)}
    for number in range(model.config.num_layers):
        attention = f"encoder.layers.{number}.self_attn.linears"
        shapes |= {f"{attention}.1.bias": (D,), f"{attention}.4.weight": (D, D), f"{attention}.4.bias": (D,)}
    like = model.encoder.bond_embedding.weight
    return {name: like.new_zeros(shape) for name, shape in shapes.items()}
