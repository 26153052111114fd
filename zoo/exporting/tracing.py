"""Networks written down as graphs of operations, for batches of any size: programs of torch and ONNX."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from featurizers import PackedMolecules
from molzoo_runner.tensors import model_inputs
from zoo.exporting.misfits import ExportError, name_of
from zoo.exporting.scoring import ScoredMolecules
from zoo.learners import Learner

EXAMPLES = ("CCO", "OC(=O)c1ccccc1Cl", "C[C@H](N)C#N", "[Na+].[O-]C(C)=O")
"""Molecules of a trace; no number of molecules, atoms, bonds or pairs of theirs is 1, or the same as another."""
OPSET = 20


@dataclass(frozen=True)
class Trace:
    """A network as a graph.

    Args:
        program: Of torch.
        inputs: Names of the arrays that it reads, in their order.
        outputs: Names of what it gives, in their order.
    """

    program: torch.export.ExportedProgram
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def trace(learner: Learner, values_only: bool = False) -> Trace:
    """Write the network of a learner down; the learner stays as it is.

    Args:
        learner: A trained learner.
        values_only: Leave out the deviations and intervals that its kind of target tells.

    Raises:
        ExportError: It does something that a graph of operations cannot hold.
    """
    packed = PackedMolecules.pack([learner.featurizer.read(text) for text in EXAMPLES])
    arrays = model_inputs(learner.featurizer, packed)
    examples = {name: torch.from_numpy(array) for name, array in arrays.items()}
    model = copy.deepcopy(learner.model).cpu().eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    try:
        with quiet(), torch.no_grad():
            module = ScoredMolecules(learner, model, tuple(examples), values_only)
            program = _export(module, examples)
    except Exception as error:  # torch.export raises what it likes
        raise _cannot(learner, error) from error
    return Trace(program, module.names, module.outputs)


def _export(module: ScoredMolecules, examples: dict[str, torch.Tensor]) -> torch.export.ExportedProgram:
    sizes = tuple({0: torch.export.Dim.DYNAMIC} for _ in examples)
    with _any_size():
        return torch.export.export(module, tuple(examples.values()), dynamic_shapes=(sizes,), strict=False)


@contextlib.contextmanager
def _any_size() -> Iterator[None]:
    """Let a trace hold for sizes 0 and 1 too, as far as this torch can."""
    from torch.fx.experimental import _config

    option = "backed_size_oblivious"
    patch: Any = _config.patch  # type: ignore[attr-defined]
    with patch(**{option: True}) if hasattr(_config, option) else contextlib.nullcontext():
        yield


def to_onnx(traced: Trace, learner: Learner) -> tuple[bytes, tuple[str, ...]]:
    """Return a trace as an ONNX model, its weights inside, and the names of the inputs that it reads.

    Raises:
        ExportError: An operation has no form in ONNX, or the model is larger than 2 GB.
        ImportError: onnx or onnxscript is not installed.
    """
    buffer = io.BytesIO()
    try:
        with quiet():
            program = torch.onnx.export(
                traced.program,
                dynamo=True,
                optimize=True,
                opset_version=OPSET,
                input_names=list(traced.inputs),
                output_names=list(traced.outputs),
                external_data=False,
                verbose=False,
            )
            inputs = program.model.graph.inputs  # type: ignore[union-attr]
            for unused in [each for each in inputs if not each.uses()]:
                inputs.remove(unused)
            program.save(buffer, include_initializers=True, keep_initializers_as_inputs=False)  # type: ignore[union-attr,arg-type]
    except ImportError:
        raise
    except Exception as error:  # the exporter raises what it likes
        raise _cannot(learner, error) from error
    return buffer.getvalue(), tuple(str(each.name) for each in inputs)


def to_program(traced: Trace, manifest: str) -> bytes:
    """Return a trace as a program of torch (.pt2) that carries a manifest."""
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(traced.program, buffer, extra_files={"manifest.json": manifest})
    return buffer.getvalue()


def _cannot(learner: Learner, error: Exception) -> ExportError:
    """Return the error of a model that cannot be traced, with the first line of what torch says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = next(iter(lines), "")[:200]
    return ExportError(f"{name_of(learner)} cannot be exported: {type(error).__name__}: {why}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what torch's exporters print to themselves: progress, and advice for their own developers."""
    names = ("torch", "onnxscript", "onnx_ir")
    loggers: list[Any] = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    unread = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(unread), contextlib.redirect_stderr(unread):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
