"""One network of an exported model: its featurizer and its ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import featurizers
from featurizers import Featurizer, PackedMolecules
from molzoo_runner.errors import ModelFileError, one_line
from molzoo_runner.manifest import Manifest, Member
from molzoo_runner.tensors import model_inputs

MOST_MOLECULES = 64
MOST_PAIRS = 200_000
"""Most pairs of atoms of a batch, padding included, unless it is a single molecule."""
LARGEST_OPTION = 1 << 16


class Network:
    """A featurizer and a graph.

    Args:
        member: Its description.
        manifest: The model that it is part of.
        content: The graph.
        threads: Threads of ONNX Runtime; 0 takes one for each core.

    Raises:
        ModelFileError: Featurizer or graph cannot be used, or do not fit.
    """

    def __init__(self, member: Member, manifest: Manifest, content: bytes, threads: int) -> None:
        self.member, self.manifest = member, manifest
        self.featurizer = make_featurizer(member)
        self.session = open_session(content, threads)
        self._check_names()
        self.probe = PackedMolecules.pack([self.featurizer.read("C")])
        self.run(self.probe)

    def run(self, packed: PackedMolecules) -> dict[str, np.ndarray]:
        """Predict molecules.

        Args:
            packed: B molecules.

        Returns:
            "values" and, where the manifest names them, "spread" and "interval", each (B, ...).

        Raises:
            ModelFileError: The graph fails, or gives something else than the manifest says.
        """
        found: dict[str, np.ndarray] = {}
        for rows in batches(packed.num_atoms):
            arrays = model_inputs(self.featurizer, packed.take(rows))
            missing = [name for name in self.member.inputs if name not in arrays]
            if missing:
                raise ModelFileError(f"the graph reads {missing[0][:60]!r}, which its featurizer does not give")
            try:
                outputs = self.session.run(None, {name: arrays[name] for name in self.member.inputs})
            except Exception as error:  # whatever ONNX Runtime raises
                raise ModelFileError(f"the ONNX graph cannot be run: {one_line(error)}") from error
            for name, part in zip(self.manifest.outputs, outputs, strict=True):
                self._check_shape(name, part, len(rows))
                found.setdefault(name, np.empty((len(packed), *part.shape[1:]), part.dtype))[rows] = part
        return found

    def _check_names(self) -> None:
        inputs, outputs = ([each.name for each in part] for part in (self.session.get_inputs(),
                                                                      self.session.get_outputs()))  # fmt: skip
        if set(inputs) != set(self.member.inputs) or tuple(outputs) != self.manifest.outputs:
            raise ModelFileError("the ONNX graph has other inputs or outputs than the manifest says")

    def _check_shape(self, name: str, part: Any, rows: int) -> None:
        """Refuse an output that is not of the numbers of the manifest."""
        tasks, columns = len(self.manifest.tasks), len(self.manifest.columns)
        shape = (rows, tasks, columns // tasks) if self.manifest.by_class else (rows, columns)
        shape = (*shape, 2) if name == "interval" else shape
        if not isinstance(part, np.ndarray) or part.dtype.kind != "f" or part.shape != shape:
            raise ModelFileError(f"the ONNX graph gives {name} of another shape than {shape}")


def make_featurizer(member: Member) -> Featurizer:
    """Make the featurizer of a member.

    Raises:
        ModelFileError: There is none of this name, it has not these options, or it is of another version.
    """
    cls = getattr(featurizers, member.featurizer, None) if member.featurizer in dir(featurizers) else None
    if not (isinstance(cls, type) and issubclass(cls, Featurizer)):
        raise ModelFileError(f"the package featurizers has no featurizer {member.featurizer[:60]!r}")
    for name, value in member.featurizer_options.items():
        if isinstance(value, (int, float)) and not abs(value) <= LARGEST_OPTION:
            raise ModelFileError(f"the option {name[:60]!r} of the featurizer is too large")
    try:
        made = cls(**member.featurizer_options)
        fingerprint = made.fingerprint
    except ImportError as error:
        raise ModelFileError(f"its features need another package: {one_line(error)}") from error
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, MemoryError) as error:
        raise ModelFileError(f"the options of the featurizer do not fit: {one_line(error)}") from error
    if fingerprint != member.fingerprint:
        raise ModelFileError(
            f"the features of {member.featurizer} are of another version than those that the model was trained on: "
            "install the version of molzoo that exported it"
        )
    return made


def open_session(content: bytes, threads: int) -> Any:
    """Open an ONNX graph on the CPU.

    Raises:
        ModelFileError: ONNX Runtime cannot read it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # it keeps the memory of the largest batch
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever ONNX Runtime raises
        raise ModelFileError(f"ONNX Runtime cannot read the graph: {one_line(error)}") from error


def batches(num_atoms: np.ndarray) -> Iterator[np.ndarray]:
    """Divide molecules into batches of similar size, so that padding is small and memory bounded.

    Example:
        >>> [rows.tolist() for rows in batches(np.array([9, 3, 500]))]
        [[1, 0], [2]]
    """
    order = np.argsort(num_atoms, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        full = end - start == MOST_MOLECULES
        if full or end == len(order) or (end - start + 1) * int(num_atoms[order[end]]) ** 2 > MOST_PAIRS:
            yield order[start:end]
            start = end
