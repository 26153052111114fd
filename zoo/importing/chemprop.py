"""Models of chemprop 2 as `dmpnn`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.importing.foreign import ForeignCheckpoint
from zoo.importing.pickled import Inert, check_tensors
from zoo.runs.checkpoint import CheckpointError

BOND_SIZE = 14
ATOM_COLUMNS = {72: "v2", 133: "v1", 44: "organic"}
ACTIVATIONS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "Tanh": "tanh", "ELU": "elu",
               "SELU": "selu", "GELU": "gelu"}  # fmt: skip
READOUTS = {"MeanAggregation": "mean", "SumAggregation": "sum", "NormAggregation": "norm"}
TASKS = {
    "RegressionFFN": "regression",
    "BinaryClassificationFFN": "binary",
    "MulticlassClassificationFFN": "multiclass",
}


def is_chemprop(content: Mapping[str, Any]) -> bool:
    """Return whether this is what chemprop 2 writes."""
    options = content.get("hyper_parameters")
    return isinstance(options, Mapping) and {"message_passing", "agg", "predictor"} <= set(options)


def from_chemprop(path: Path, content: Mapping[str, Any]) -> ForeignCheckpoint:
    """Translate a checkpoint of chemprop 2 (`.pt`, or Lightning's `.ckpt`).

    Args:
        path: Where it was read, for messages.
        content: What `read_pickled` gave.

    Raises:
        CheckpointError: Its model has a part that `dmpnn` does not have.

    Reference:
        Heid et al. 2024 (doi:10.1021/acs.jcim.3c01250).
    """
    options = content["hyper_parameters"]
    messages, readout, head = (_part(path, options, name) for name in ("message_passing", "agg", "predictor"))
    tensors = check_tensors(path, content.get("state_dict", {}))
    _refuse_unsupported(path, messages, options, tensors)
    kind = _choice(path, "predictor", _class_name(head), TASKS)
    classes = int(head.get("n_classes", 3)) if kind == "multiclass" else 0
    num_tasks = int(head.get("n_tasks", 1))
    model_args = {
        **_encoder_options(path, messages),
        "readout": _choice(path, "aggregation", _class_name(readout), READOUTS),
        "readout_norm": float(readout.get("norm", 100.0)),
        "batch_norm": bool(options.get("batch_norm", False)),
        "ffn_hidden_size": int(head.get("hidden_dim", 300)),
        "ffn_num_layers": int(head.get("n_layers", 1)) + 1,
    }
    if _activation(path, head.get("activation", "ReLU")) != model_args["activation"]:
        raise CheckpointError(f"{path}: message passing and head have different activations, which dmpnn does not have")
    names = content.get("output_columns") or ()
    return ForeignCheckpoint(
        origin="chemprop 2",
        model="dmpnn",
        model_args=model_args,
        featurizer="chemprop",
        featurizer_args={"columns": _choice(path, "atom features", int(messages["d_v"]), ATOM_COLUMNS)},
        weights={
            **dict(_encoder_weights(path, tensors, model_args)),
            **dict(_head_weights(path, tensors, model_args)),
        },
        task=kind,
        num_tasks=num_tasks,
        task_args={"num_classes": classes} if classes else {},
        task_names=tuple(map(str, names)) if len(names) == num_tasks else (),
        target_scaling=_scaling(path, tensors) if kind == "regression" else None,
    )


def is_chemeleon(content: Mapping[str, Any]) -> bool:
    """Return whether this is the message passing of chemprop 2 alone, as CheMeleon is published."""
    options, tensors = content.get("hyper_parameters"), content.get("state_dict")
    return isinstance(options, Mapping) and isinstance(tensors, Mapping) and "W_i.weight" in tensors


def from_chemeleon(path: Path, content: Mapping[str, Any]) -> ForeignCheckpoint:
    """Translate a pre-trained message passing of chemprop 2; the readout is the mean, the head is new.

    Args:
        path: Where it was read, for messages.
        content: What `read_pickled` gave.

    Raises:
        CheckpointError: It has a part that `dmpnn` does not have.

    Reference:
        Burns et al. 2025 (arXiv:2506.15792).
    """
    messages = content["hyper_parameters"]
    tensors = {f"message_passing.{name}": tensor for name, tensor in check_tensors(path, content["state_dict"]).items()}
    _refuse_unsupported(path, {"cls": "BondMessagePassing", **messages}, {"predictor": {}}, tensors)
    model_args = {**_encoder_options(path, messages), "readout": "mean"}
    return ForeignCheckpoint(
        origin="CheMeleon",
        model="dmpnn",
        model_args=model_args,
        featurizer="chemprop",
        featurizer_args={"columns": _choice(path, "atom features", int(messages["d_v"]), ATOM_COLUMNS)},
        weights=dict(_encoder_weights(path, tensors, model_args)),
        untrained=("head",),
    )


def _encoder_options(path: Path, messages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the message passing under our names."""
    return {
        "hidden_size": int(messages["d_h"]),
        "num_layers": int(messages["depth"]),
        "activation": _activation(path, messages.get("activation", "ReLU")),
        "dropout": float(messages.get("dropout", 0.0)),
        "bias": bool(messages.get("bias", False)),
    }


def _part(path: Path, options: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the options of one part of the model."""
    part = options[name]
    if not isinstance(part, Mapping):
        raise CheckpointError(f"{path}: its {name} is stored as {type(part).__name__}, not by its options")
    return part


def _class_name(part: Mapping[str, Any]) -> str:
    """Return the name of the class that a part was made of."""
    stored = part.get("cls")
    return stored.__name__ if isinstance(stored, type) else str(stored)


def _choice(path: Path, what: str, found: Any, known: Mapping[Any, str]) -> str:
    """Return our name of something, or refuse it by the name that it has there."""
    if found not in known:
        raise CheckpointError(f"{path}: {what} {found!r} cannot be imported; known are {', '.join(map(str, known))}")
    return known[found]


def _activation(path: Path, stored: Any) -> str:
    """Return our name of an activation, stored as a module or by name."""
    name = stored.kind if isinstance(stored, Inert) else str(stored)
    folded = {theirs.lower(): theirs for theirs in ACTIVATIONS}
    slope = stored.state.get("negative_slope", 0.1) if isinstance(stored, Inert) else 0.1
    if slope != 0.1:
        raise CheckpointError(f"{path}: LeakyReLU with slope {slope} cannot be imported; dmpnn's has 0.1")
    return _choice(path, "activation", folded.get(name.lower(), name), ACTIVATIONS)


def _refuse_unsupported(
    path: Path, messages: Mapping[str, Any], options: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Raise a `CheckpointError` for parts that change predictions and that `dmpnn` does not have."""
    name = _class_name(messages)
    if name != "BondMessagePassing":
        raise CheckpointError(f"{path}: {name} cannot be imported, only BondMessagePassing is `dmpnn`")
    for wrong, what in (
        (messages.get("undirected"), "undirected=True"),
        (messages.get("d_vd"), "extra atom descriptors"),
        (int(messages.get("d_e", BOND_SIZE)) != BOND_SIZE, f"{messages.get('d_e')} bond features"),
        (any(key.startswith("X_d_transform") for key in tensors), "scaled extra features of molecules"),
        (int(options["predictor"].get("input_dim", messages["d_h"])) != int(messages["d_h"]),
         "extra features of molecules"),
        (any(".graph_transform." in key for key in tensors), "scaled atom or bond features"),
    ):  # fmt: skip
        if wrong:
            raise CheckpointError(f"{path}: a model with {what} cannot be imported")


def _tensor(path: Path, tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """Return a tensor by its name there."""
    if name not in tensors:
        raise CheckpointError(f"{path}: the tensor {name!r} is missing")
    return tensors[name]


def _encoder_weights(
    path: Path, tensors: Mapping[str, Tensor], model_args: Mapping[str, Any]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters of our encoder by name."""
    take = partial(_tensor, path, tensors)
    first = take("message_passing.W_i.weight")
    if first.dim() != 2 or first.shape[1] <= BOND_SIZE:
        raise CheckpointError(f"{path}: 'message_passing.W_i.weight' has shape {tuple(first.shape)}")
    yield "encoder.atom_input.weight", first[:, :-BOND_SIZE]
    yield "encoder.bond_input.weight", first[:, -BOND_SIZE:]
    if model_args["bias"]:
        yield "encoder.atom_input.bias", take("message_passing.W_i.bias")
    if model_args["num_layers"] > 1:
        yield "encoder.message.weight", take("message_passing.W_h.weight")
        if model_args["bias"]:
            yield "encoder.message.bias", take("message_passing.W_h.bias")
    for kind in ("weight", "bias"):
        yield f"encoder.output.{kind}", take(f"message_passing.W_o.{kind}")
    if model_args["activation"] == "prelu":
        yield "encoder.activation.weight", take("message_passing.tau.weight")


def _head_weights(
    path: Path, tensors: Mapping[str, Tensor], model_args: Mapping[str, Any]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters of our head and readout by name."""
    take = partial(_tensor, path, tensors)
    for layer in range(model_args["ffn_num_layers"]):
        for kind in ("weight", "bias"):
            yield f"head.network.layers.{layer}.{kind}", take(f"predictor.ffn.{layer}.{2 if layer else 0}.{kind}")
    if model_args["activation"] == "prelu":
        yield "head.network.activation.weight", take("predictor.ffn.1.0.weight")
    if model_args["batch_norm"]:
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            yield f"norm.{name}", take(f"bn.{name}")


def _scaling(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, list[float]] | None:
    """Return mean and standard deviation of the targets, where the model scales its output back."""
    mean, scale = (tensors.get(f"predictor.output_transform.{name}") for name in ("mean", "scale"))
    if mean is None or scale is None:
        return None
    if not bool((scale > 0).all()):
        raise CheckpointError(f"{path}: a target has a standard deviation of 0 or less")
    return {"mean": mean.double().flatten().tolist(), "std": scale.double().flatten().tolist()}
