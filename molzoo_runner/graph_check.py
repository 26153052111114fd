"""Checks of ONNX graphs: weights inside the file, and operations that neither loop nor call other code."""

from __future__ import annotations

from typing import Any

import numpy as np

from molzoo_runner.errors import ModelFileError
from molzoo_runner.wire import BYTES, VARINT, fields, messages, text

OPERATIONS = frozenset(
    """
    Abs Add And BatchNormalization BitwiseXor Cast Ceil Clip Concat Constant ConstantOfShape Cos CumSum Div Einsum Elu
    Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual HardSigmoid
    Identity IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mish Mod Mul Neg
    Not OneHot Or PRelu Pad Pow Range Reciprocal ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare Relu Reshape ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax
    Softplus Softsign Split Sqrt Squeeze Sub Sum Swish Tanh Tile Transpose Trilu Unsqueeze Where Xor
    """.split()  # noqa: SIM905
)
"""Operations of ONNX without graphs inside: no loops, no conditions, no random numbers, no files."""

# Numbers of fields in onnx.proto.
GRAPH, TRAINING, FUNCTIONS = 7, 20, 25
NODES, INITIALIZERS, SPARSE = 1, 5, 15
OPERATION, ATTRIBUTES, DOMAIN = 4, 5, 7
TENSOR, TENSORS, INNER = 5, 10, (6, 11, 22, 23)
DATA_TYPE, FLOATS, RAW, DOUBLES, EXTERNAL, LOCATION = 2, 4, 9, 10, 13, 14
NUMBERS: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 11: np.dtype("<f8")}


def check_model(content: bytes) -> None:
    """Refuse an ONNX model that reads other files, loops, calls functions or has weights that are not numbers.

    Raises:
        ModelFileError: It does, or it is damaged.
    """
    model = memoryview(content)
    names = {number for number, _, _, _ in fields(model)}
    if GRAPH not in names:
        raise ModelFileError("it holds no ONNX graph")
    if names & {TRAINING, FUNCTIONS}:
        raise ModelFileError("the ONNX graph calls functions of its own, which molzoo never writes")
    for graph in messages(model, GRAPH):
        _check_graph(graph)


def _check_graph(graph: memoryview) -> None:
    for number, kind, value, _ in fields(graph):
        if kind != BYTES:
            continue
        if number == NODES:
            _check_node(value)
        elif number == INITIALIZERS:
            _check_tensor(value)
        elif number == SPARSE:
            raise ModelFileError("the ONNX graph has sparse weights, which molzoo never writes")


def _check_node(node: memoryview) -> None:
    name, domain = text(node, OPERATION), text(node, DOMAIN)
    if name not in OPERATIONS or domain not in ("", "ai.onnx"):
        shown = f"{domain}.{name}" if domain else name
        raise ModelFileError(f"the ONNX graph has the operation {shown[-80:]!r}, which is not run here")
    for attribute in messages(node, ATTRIBUTES):
        for number, kind, value, _ in fields(attribute):
            if number in INNER and kind == BYTES:
                raise ModelFileError(f"the ONNX graph has another graph inside of {name!r}, which molzoo never writes")
            if number in (TENSOR, TENSORS) and kind == BYTES:
                _check_tensor(value)


def _check_tensor(tensor: memoryview) -> None:
    kind_of_numbers = 0
    raw = packed = None
    for number, kind, value, _ in fields(tensor):
        if number == EXTERNAL or (number == LOCATION and value != 0):
            raise ModelFileError("the weights of the ONNX graph lie in another file, which is not opened")
        if number == DATA_TYPE and kind == VARINT:
            kind_of_numbers = value
        elif number == RAW and kind == BYTES:
            raw = value
        elif number in (FLOATS, DOUBLES) and kind == BYTES:
            packed = value
    data = raw if raw is not None else packed
    if kind_of_numbers not in NUMBERS or data is None:
        return
    numbers = NUMBERS[kind_of_numbers]
    if len(data) % numbers.itemsize:
        raise ModelFileError("the ONNX graph is damaged: weights of an odd length")
    if np.isnan(np.frombuffer(data, numbers)).any():
        raise ModelFileError("the ONNX graph has weights that are not numbers (NaN): export the model again")
