"""`Manifest`: everything about an exported model but its weights, as JSON that is checked before it is believed."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from molzoo_runner.errors import ModelFileError

FORMAT = 1
NUMBERS, ZERO_ONE, CLASSES = "numbers", "zero_one", "classes"
MOST_MEMBERS, MOST_TASKS, LONGEST_NAME, LARGEST = 64, 100_000, 1000, 1e300
OUTPUTS = ("values", "spread", "interval")


@dataclass(frozen=True)
class Member:
    """One network of an exported model.

    Args:
        file: Name of its ONNX graph.
        sha256: Checksum of that file.
        size: Its length in bytes.
        weight: Share in the mean; those of all members sum to 1.
        model: Name of the architecture.
        featurizer: Name of the class in `featurizers`.
        featurizer_options: All options of its constructor.
        fingerprint: `Featurizer.fingerprint`: class, version and options.
        inputs: Names of the arrays that the graph reads.
    """

    file: str
    sha256: str
    size: int
    weight: float
    model: str
    featurizer: str
    featurizer_options: dict[str, Any]
    fingerprint: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """One target.

    Args:
        name: Its name.
        labels: "numbers", "zero_one" or "classes".
        width: Numbers that a prediction has: C for "classes", else 1.
        threshold: Probability from which "zero_one" is class 1.
        words: Words of the classes; empty where these are numbers.
    """

    name: str
    labels: str
    width: int = 1
    threshold: float = 0.5
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything about an exported model but its weights.

    Args:
        members: Its networks; their predictions are averaged.
        tasks: Its targets (T).
        outputs: What each graph gives, in this order: "values", and where the kind of target tells them "spread" and
            "interval".
        by_class: Whether predictions are (n, T, C); else they are (n, K), K the sum of the widths.
        columns: Names of the numbers of a prediction (K or T * C).
        calibration: What corrects probabilities and makes intervals, see `molzoo_runner.calibration`; empty where the
            model was not calibrated.
        cards: Checksums of the cards by name.
        versions: Versions of the packages that wrote it.
        format: Of this description.
    """

    members: tuple[Member, ...]
    tasks: tuple[Task, ...]
    outputs: tuple[str, ...]
    by_class: bool
    columns: tuple[str, ...]
    calibration: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        """Return JSON text that `read_manifest` reads."""
        return json.dumps(asdict(self), indent=1)


def checksum(content: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes (64 hex digits)."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ModelFileError: It is damaged, of another format, or something in it has another type than it should.
    """
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"the manifest cannot be read: {type(error).__name__}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else None
        raise ModelFileError(f"the manifest has format {str(found)[:20]}, and this program reads {FORMAT}: use the "
                             "version of molzoo_runner that belongs to it")  # fmt: skip
    members = tuple(_read(Member, each, "members") for each in _list(raw, "members", 1, MOST_MEMBERS))
    tasks = tuple(_read(Task, each, "tasks") for each in _list(raw, "tasks", 1, MOST_TASKS))
    fields = {"members": members, "tasks": tasks}
    plain = {name: value for name, value in raw.items() if name not in fields}
    manifest = _read(Manifest, {**plain, **fields}, "manifest")
    _check(manifest)
    return manifest


def _list(raw: dict[str, Any], name: str, least: int, most: int) -> list[Any]:
    found = raw.get(name)
    if not isinstance(found, list) or not least <= len(found) <= most:
        raise ModelFileError(f"the manifest needs {least} to {most} {name}")
    return found


TYPES: dict[str, Any] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48,
    "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST,
    "str": lambda value: isinstance(value, str) and len(value) <= LONGEST_NAME,
    "bool": lambda value: isinstance(value, bool),
    "dict[str, Any]": lambda value: isinstance(value, dict),
    "dict[str, str]": lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "tuple[str, ...]": lambda value: (
        isinstance(value, (list, tuple)) and len(value) <= MOST_TASKS and all(map(TYPES["str"], value))
    ),
}


def _read(cls: Any, raw: Any, where: str) -> Any:
    """Make a dataclass of a mapping whose values have the types that its fields name."""
    if not isinstance(raw, dict):
        raise ModelFileError(f"the manifest has something else in {where!r} than it should")
    known = {name: own.type for name, own in cls.__dataclass_fields__.items()}
    if unknown := [name for name in raw if name not in known]:
        raise ModelFileError(f"the manifest has {str(unknown[0])[:60]!r} in {where!r}, which is unknown")
    values = {}
    for name, value in raw.items():
        kind = known[name]
        if kind in TYPES and not TYPES[kind](value):
            raise ModelFileError(f"the manifest has something else in {name!r} than {kind}")
        values[name] = tuple(value) if kind == "tuple[str, ...]" else value
    try:
        return cls(**values)
    except TypeError as error:
        raise ModelFileError(f"the manifest lacks something in {where!r}: {error}") from error


def _check(manifest: Manifest) -> None:
    """Refuse what the types alone do not show."""
    widths = [task.width for task in manifest.tasks]
    if any(task.labels not in (NUMBERS, ZERO_ONE, CLASSES) for task in manifest.tasks) or not all(widths):
        raise ModelFileError("the manifest has a kind of labels that is unknown")
    if manifest.by_class and len(set(widths)) > 1:
        raise ModelFileError("the manifest has different numbers of classes in predictions that are of one number")
    if len(manifest.columns) != sum(widths) or len(manifest.columns) > MOST_TASKS:
        raise ModelFileError(f"the manifest names {len(manifest.columns)} columns for {sum(widths)} numbers")
    if manifest.outputs[:1] != OUTPUTS[:1] or len(set(manifest.outputs)) < len(manifest.outputs):
        raise ModelFileError("the manifest has no output 'values', or one twice")
    if not set(manifest.outputs) <= set(OUTPUTS):
        raise ModelFileError("the manifest has an output that is unknown")
    weights = [member.weight for member in manifest.members]
    if min(weights) < 0 or not math.isclose(sum(weights), 1, rel_tol=1e-6):
        raise ModelFileError("the weights of the members do not sum to 1")
