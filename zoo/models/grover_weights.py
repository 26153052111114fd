"""Weights and options of published GROVER checkpoints, to ours and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoo.models.grover import Grover, GroverConfig

ACTIVATION_NAMES = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "tanh": "tanh",
    "SELU": "selu",
    "ELU": "elu",
    "Linear": "linear",
}
OPTION_NAMES = {
    "hidden_size": "hidden_size",
    "depth": "num_layers",
    "num_attn_head": "num_heads",
    "num_mt_block": "num_blocks",
    "dropout": "dropout",
    "bias": "bias",
    "dense": "dense",
    "attn_hidden": "attention_hidden",
    "attn_out": "attention_out",
    "ffn_hidden_size": "ffn_hidden_size",
    "ffn_num_layers": "ffn_num_layers",
    "dist_coff": "distance_coefficient",
    "features_dim": "descriptor_size",
    "dataset_type": "task",
    "num_tasks": "num_tasks",
}


@dataclass(frozen=True)
class Link:
    """One published tensor and where it is in our parameters.

    Args:
        published: Name in the published state dict.
        ours: Name in our state dict.
        row: Place in our stacked parameter, or `None` if ours is not stacked.
        transposed: Ours multiplies from the other side.
    """

    published: str
    ours: str
    row: int | None = None
    transposed: bool = False

    def take(self, ours: Tensor) -> Tensor:
        """The published tensor as a view of our parameter."""
        part = ours if self.row is None else ours[self.row]
        return part.T if self.transposed else part


def links(config: GroverConfig) -> Iterator[Link]:
    """All published tensors that a model of this config uses."""
    for stream, theirs in (("atom", "node"), ("bond", "edge")):
        first = f"grover.encoders.{theirs}_blocks.0"
        yield from _linear(f"{first}.W_i", f"encoder.{stream}_input.linear", config.bias)
        yield from _norm(f"{first}.layernorm", f"encoder.{stream}_input.norm")
        yield from _slope(f"{first}.act_func", f"encoder.{stream}_input.activation", config)
        for block in range(config.num_blocks):
            yield from _block(f"grover.encoders.{theirs}_blocks.{block}", f"encoder.{stream}_blocks.{block}", config)
    for name in _outputs(config):
        ffn = f"grover.encoders.ffn_{name}"
        for layer in (0, 1):
            yield from _linear(f"{ffn}.W_{layer + 1}", f"encoder.outputs.{name}.feed_forward.layers.{layer}", True)
        yield from _slope(f"{ffn}.act_func", f"encoder.outputs.{name}.feed_forward.activation", config)
        yield from _norm(f"grover.encoders.{name}_sublayer.norm", f"encoder.outputs.{name}.norm")
    if config.readout == "self_attention":
        yield Link("readout.attn.w1", "head.readout.w1")
        yield Link("readout.attn.w2", "head.readout.w2")
    for branch in ("atom", "bond"):
        for layer in range(config.ffn_num_layers):  # their list: dropout, then linear, activation, dropout, ...
            theirs, ours = f"mol_atom_from_{branch}_ffn.", f"head.from_{branch}."
            yield from _linear(f"{theirs}{3 * layer + 1}", f"{ours}layers.{layer}", True)
            if layer < config.ffn_num_layers - 1:
                yield from _slope(f"{theirs}{3 * layer + 2}", f"{ours}activation", config)


def from_published(
    state_dict: Mapping[str, Tensor], config: GroverConfig, encoder_only: bool = False
) -> dict[str, Tensor]:
    """Make our state dict from a published one.

    Args:
        state_dict: Tensors by their published names; tensors that this config has no use for are passed over (see
            `unused_tensors`).
        config: The model to fill.
        encoder_only: Take only the encoder, as from a checkpoint of pre-training; load it with
            `model.encoder.load_state_dict`.

    Returns:
        Tensors for `Grover.load_state_dict` (or for its encoder).

    Raises:
        KeyError: A tensor is missing.
        ValueError: A tensor does not have the shape that the config asks for.
    """
    used = [link for link in links(config) if not encoder_only or link.ours.startswith("encoder.")]
    missing = [link.published for link in used if link.published not in state_dict]
    if missing:
        raise KeyError(f"the published state dict lacks {len(missing)} tensors, first {missing[0]!r}: other options?")
    with torch.device("meta"):
        shapes = Grover(config).state_dict()
    filled = {link.ours: torch.empty(shapes[link.ours].shape, dtype=state_dict[link.published].dtype) for link in used}
    for link in used:
        place, tensor = link.take(filled[link.ours]), state_dict[link.published]
        if place.numel() != tensor.numel():
            raise ValueError(
                f"{link.published!r} has shape {tuple(tensor.shape)} and the config needs {tuple(place.shape)}"
            )
        place.copy_(tensor.reshape(place.shape))
    if encoder_only:
        return {name.removeprefix("encoder."): tensor for name, tensor in filled.items()}
    return filled


def to_published(model: Grover, unused: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Make the published state dict of a model.

    Args:
        model: Ours.
        unused: Published tensors without a use here, as `unused_tensors` gives them. Those that are not given and that
            the released code creates are filled with zeros (LayerNorm weights with ones).

    Returns:
        Copies of all tensors by their published names.
    """
    result = published_tensors(model.state_dict(), model.config)
    return {**_unused_by_default(model), **result, **(unused or {})}


def published_tensors(tensors: Mapping[str, Tensor], config: GroverConfig) -> dict[str, Tensor]:
    """Copies of tensors named like our parameters (weights or gradients), by their published names."""
    result = {}
    for link in links(config):
        if link.ours in tensors:
            part = link.take(tensors[link.ours].detach()).clone().contiguous()
            result[link.published] = part.reshape(-1) if part.dim() == 0 or ".bias" in link.published else part
    return result


def unused_tensors(state_dict: Mapping[str, Tensor], config: GroverConfig) -> dict[str, Tensor]:
    """Return what a published state dict holds beyond the parameters of this config; `to_published` takes it back."""
    used = {link.published for link in links(config)}
    return {name: tensor for name, tensor in state_dict.items() if name not in used}


def config_from_published(args: Mapping[str, Any], released_padding: bool = True) -> GroverConfig:
    """Make our config from a checkpoint's options.

    Its weights read the features of `GroverFeaturizer(chirality="published")`.

    Args:
        args: The published options by name (`vars(checkpoint["args"])`).
        released_padding: Predict as the released code does, padding included.

    Raises:
        ValueError: An option that this model does not reproduce.
    """
    if args.get("undirected"):
        raise ValueError("undirected=True: the released code fails with it, so there is nothing to reproduce")
    if args["hidden_size"] in (151, 165):
        raise ValueError(f"hidden_size={args['hidden_size']}: the released code drops an input layer at this width")
    output = args.get("embedding_output_type", "atom")
    if output == "bond":
        raise ValueError("embedding_output_type='bond': fine-tuning needs 'atom' or 'both'")
    options = {ours: args[theirs] for theirs, ours in OPTION_NAMES.items() if args.get(theirs) is not None}
    return GroverConfig(
        **options,
        dynamic_depth="truncnorm",
        activation=ACTIVATION_NAMES[args.get("activation", "ReLU")],
        readout="self_attention" if args.get("self_attention") else "mean",
        embedding_output=output,
        released_padding=released_padding,
    )


def _outputs(config: GroverConfig) -> list[str]:
    names = ["atom_from_atom", "atom_from_bond"]
    return names if config.embedding_output == "atom" else [*names, "bond_from_atom", "bond_from_bond"]


def _linear(published: str, ours: str, bias: bool) -> Iterator[Link]:
    yield Link(f"{published}.weight", f"{ours}.weight")
    if bias:
        yield Link(f"{published}.bias", f"{ours}.bias")


def _norm(published: str, ours: str) -> Iterator[Link]:
    yield from _linear(published, ours, True)


def _slope(published: str, ours: str, config: GroverConfig, row: int | None = None) -> Iterator[Link]:
    if config.activation == "prelu":
        yield Link(f"{published}.weight", f"{ours}.weight", row)


def _block(published: str, ours: str, config: GroverConfig) -> Iterator[Link]:
    for place, role in enumerate("qkv"):
        for head in range(config.num_heads):
            mpn, row = f"{published}.heads.{head}.mpn_{role}", place * config.num_heads + head
            yield Link(f"{mpn}.W_h.weight", f"{ours}.messages.weight", row, transposed=True)
            if config.bias:
                yield Link(f"{mpn}.W_h.bias", f"{ours}.messages.bias", row)
            yield from _slope(f"{mpn}.act_func", f"{ours}.messages.activation", config, row)
        yield Link(f"{published}.attn.linear_layers.{place}.weight", f"{ours}.attention.weight", place, transposed=True)
        yield Link(f"{published}.attn.linear_layers.{place}.bias", f"{ours}.attention.bias", place)
    yield from _linear(f"{published}.attn.output_linear", f"{ours}.attention.output", config.bias)
    yield from _linear(f"{published}.W_o", f"{ours}.merge", config.bias)
    yield from _norm(f"{published}.sublayer.norm", f"{ours}.norm")


def _unused_by_default(model: Grover) -> dict[str, Tensor]:
    """Published tensors without a use: input layers of later blocks, bond branches, two slopes, a vector of zeros."""
    config = model.config
    D, width = config.hidden_size, {"atom": config.atom_size, "bond": config.atom_size + config.bond_size}
    shapes: dict[str, tuple[int, ...]] = {"readout.cached_zero_vector": (D,)}
    for stream in ("node", "edge"):
        for block in range(1, config.num_blocks):
            name = f"grover.encoders.{stream}_blocks.{block}"
            shapes |= {f"{name}.W_i.weight": (D, D), f"{name}.act_func.weight": (1,)}
            shapes |= {f"{name}.W_i.bias": (D,)} if config.bias else {}
            shapes |= {f"{name}.layernorm.weight": (D,), f"{name}.layernorm.bias": (D,)}
        shapes[f"grover.encoders.act_func_{stream}.weight"] = (1,)
    for branch in ("bond_from_atom", "bond_from_bond"):
        name = f"grover.encoders.ffn_{branch}"
        shapes |= {f"{name}.W_1.weight": (4 * D, width["bond"] + D), f"{name}.W_1.bias": (4 * D,)}
        shapes |= {f"{name}.W_2.weight": (D, 4 * D), f"{name}.W_2.bias": (D,), f"{name}.act_func.weight": (1,)}
        norm = f"grover.encoders.{branch}_sublayer.norm"
        shapes |= {f"{norm}.weight": (D,), f"{norm}.bias": (D,)}
    dtype = next(model.parameters()).dtype
    return {
        name: torch.full(shape, float("norm.weight" in name), dtype=dtype)
        for name, shape in shapes.items()
        if config.activation == "prelu" or "act_func" not in name
    }
