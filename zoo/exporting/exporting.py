"""`export_model`: a trained learner as one file that takes SMILES."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from molzoo_runner.archive import Archive, with_manifest, zip_content
from molzoo_runner.errors import ModelFileError
from molzoo_runner.graph_check import check_model
from molzoo_runner.manifest import Manifest
from zoo.exporting.describing import cards_of, describe_member, describe_model
from zoo.exporting.misfits import ExportError, name_of, require_exportable
from zoo.exporting.tracing import Trace, to_onnx, to_program, trace
from zoo.layers.gru_readout import GRUReadout
from zoo.learners import Learner
from zoo.learners.ensemble import Ensemble
from zoo.learners.predictor import Predictor

SUFFIXES = (".zip", ".onnx", ".pt2")
NEEDED = "exporting needs onnx, onnxscript and torch 2.8 or newer: pip install 'molzoo[export]'"
ONNX_ALONE = "torch cannot run the operation of ONNX that its GRU over the atoms becomes: write .onnx or .zip"


@dataclass(frozen=True)
class Exported:
    """Outcome of an export.

    Args:
        path: The file.
        size: Its length in bytes.
        manifest: Everything in it but the weights.
    """

    path: Path
    size: int
    manifest: Manifest


def export_model(learner: Predictor, path: str | Path) -> Exported:
    """Write a trained learner as one file: weights, features, scaling, calibration, words of the classes, card.

    Args:
        learner: A learner, or an ensemble of learners.
        path: File to write, which must not exist. `model.zip` is for `molzoo_runner`, and alone holds ensembles and the
            card of the run; `model.onnx` is one graph for any program that runs ONNX; `model.pt2` is for torch.

    Raises:
        ExportError: The learner cannot be exported (the message says why), or not in this form.
        FileExistsError: The file exists.
        ImportError: A package is missing.

    Example:
        >>> import tempfile, zoo
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export_model(zoo.build("gcn"), f"{folder}/gcn.zip").manifest.tasks[0].name
        'task_0'
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ExportError(f"{path} has to end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if path.exists():
        raise FileExistsError(f"{path} exists: name a new file")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"{path.absolute().parent} is no folder: make it first")
    require_exportable(learner)
    if isinstance(learner, Ensemble) and path.suffix != ".zip":
        raise ExportError(
            f"an ensemble of {len(learner.members)} is several graphs, of which {path.suffix} holds one: write it as "
            f"{path.stem}.zip"
        )
    if path.suffix == ".pt2":
        manifest, content = make_program(learner)  # type: ignore[arg-type]
    else:
        manifest, content = make_onnx(learner, path.suffix == ".zip")
    return Exported(path, write_new(path, content), manifest)


def make_onnx(learner: Predictor, in_zip: bool) -> tuple[Manifest, bytes]:
    """Make an exported model of a zip, or one of a graph alone; return its manifest and its content."""
    together = isinstance(learner, Ensemble)
    networks = learner.members if isinstance(learner, Ensemble) else (learner,)
    weights = learner.weights if isinstance(learner, Ensemble) else (1.0,)
    members, graphs = [], {}
    outputs: tuple[str, ...] = ()
    for number, (network, weight) in enumerate(zip(networks, weights, strict=True)):
        file = f"model-{number}.onnx" if together else "model.onnx"
        traced = trace(network, values_only=together)  # type: ignore[arg-type]
        graphs[file], inputs = make_graph(traced, network)  # type: ignore[arg-type]
        members.append(describe_member(network, file, graphs[file], inputs, weight))  # type: ignore[arg-type]
        outputs = traced.outputs
    cards = cards_of(learner) if in_zip else {}
    manifest = describe_model(learner, members, outputs, cards)
    if in_zip:
        return manifest, zip_content(Archive(manifest, graphs, cards))
    return manifest, with_manifest(graphs["model.onnx"], manifest)


def make_graph(traced: Trace, learner: Learner) -> tuple[bytes, tuple[str, ...]]:
    """Make the ONNX model of a trace, as `to_onnx`, and refuse what the runner would refuse."""
    try:
        content, inputs = to_onnx(traced, learner)
    except ImportError as error:
        raise ImportError(f"{NEEDED} ({error})") from error
    try:
        check_model(content)
    except ModelFileError as error:
        raise ExportError(f"{name_of(learner)} cannot be exported: {error}") from error
    return content, inputs


def make_program(learner: Learner) -> tuple[Manifest, bytes]:
    """Make a program of torch; its manifest tells everything but a checksum, which the format has itself."""
    if any(isinstance(module, GRUReadout) for module in learner.model.modules()):
        raise ExportError(f"{name_of(learner)} cannot be exported as .pt2: {ONNX_ALONE}")
    traced = trace(learner)
    member = describe_member(learner, "model.pt2", b"", traced.inputs, 1.0)
    manifest = describe_model(learner, [member], traced.outputs, {})
    return manifest, to_program(traced, manifest.to_json())


def write_new(path: Path, content: bytes) -> int:
    """Write a file that is complete or not there; return its length."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o666 & ~current_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(content)


def current_umask() -> int:
    """Return the permissions that new files of this process lack."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
