"""Pickled checkpoints of other projects, opened without running anything they name.

Tensors, numbers and plain containers are built. Classes of projects that are known to be in such files become `Inert`:
a record of what was stored, whose code is neither imported nor called. Every other name is refused.
"""

from __future__ import annotations

import collections
import pickle
import re
import types
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo.data.errors import printable
from zoo.runs.checkpoint import CheckpointError

BUILT: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "collections.defaultdict": lambda *_: {},
    "torch._utils._rebuild_tensor": torch._utils._rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "_codecs.encode": lambda text, *_: text.encode("latin1"),  # how old protocols write bytes
    "torch.Size": tuple,
    "torch.device": lambda *place: ":".join(map(str, place)),
    **{f"{module}.{kind.__name__}": kind for module in ("builtins", "__builtin__")
       for kind in (set, frozenset, dict, list, tuple, complex)},
}  # fmt: skip
"""What is called by its name; nothing here reads a file, imports a module or calls what a file holds."""
KNOWN = re.compile(
    r"argparse\.Namespace|pathlib\.\w+|"
    r"numpy\.((core|_core)\.multiarray\.(_reconstruct|scalar)|ndarray|dtype|dtypes\.\w+)|"
    r"(chemprop|lightning|pytorch_lightning|lightning_fabric|torchmetrics|torch\.nn\.modules|torch\.optim|kermt|grover)"
    r"\.[\w.]+"
)
"""Names in files of chemprop, GROVER and KERMT that become records."""
FAILURES = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError, LookupError),
    *(AttributeError, TypeError, ArithmeticError, AssertionError, MemoryError, NotImplementedError, RecursionError),
)
MOST_CHARACTERS = 200


class Refused(CheckpointError):
    """Name in a file that could run code."""


class Inert(dict):  # type: ignore[type-arg]
    """Record of a stored object: its class by name, its arguments and its state; none of its code exists here.

    Attributes:
        name: Full name of the class.
        arguments: What the class would have been called with.
        state: Its attributes.
    """

    name: ClassVar[str] = ""
    arguments: tuple[Any, ...]
    state: dict[str, Any]

    def __new__(cls, *arguments: Any, **_: Any) -> Inert:
        """Keep the arguments."""
        record = super().__new__(cls)
        record.arguments, record.state = arguments, {}
        return record

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {"state": state}

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def kind(self) -> str:
        """Name of the class without its module."""
        return self.name.rpartition(".")[2]


class Restricted(pickle.Unpickler):
    """Unpickler that finds no class or function but those of `BUILT`, and records for those that are `KNOWN`."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return what takes the place of a name in the file.

        Raises:
            Refused: It is neither built nor known.
        """
        name = f"{module_name}.{global_name}"
        if name in BUILT:
            built = BUILT[name]
            # A function of its own for each mention: a file could set attributes of a shared one.
            return built if isinstance(built, type) else lambda *arguments: built(*arguments)
        if module_name == "torch" and isinstance(kind := getattr(torch, global_name, None), torch.dtype):
            return kind
        if KNOWN.fullmatch(name):
            module, _, short = name.rpartition(".")
            return type(short, (Inert,), {"__module__": module, "name": name})
        raise Refused(name)


def _load(file: Any, **options: Any) -> Any:
    return Restricted(file, **options).load()


RESTRICTED: Any = types.SimpleNamespace(__name__="restricted", Unpickler=Restricted, load=_load)
"""What `torch.load` takes in the place of the module `pickle`."""


def read_pickled(path: str | Path) -> dict[str, Any]:
    """Read a file that torch or Lightning has written, of which nothing is executed.

    Args:
        path: A `.pt`, `.pth` or `.ckpt` file.

    Returns:
        Its content: tensors, numbers, text and containers; objects of known classes as `Inert`.

    Raises:
        CheckpointError: It is damaged, or names something that is not on the list.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path} is not a file: give a checkpoint such as model.pt or best.ckpt")
    try:
        check_archive(path)
        content = torch.load(path, map_location="cpu", pickle_module=RESTRICTED, weights_only=False, mmap=False)
    except Refused as error:
        raise CheckpointError(
            f"{path} is refused: it names {printable(str(error))[:80]}, which could run code when it is opened; "
            "checkpoints of chemprop 2, GROVER and KERMT do not"
        ) from error
    except CheckpointError:
        raise
    except FAILURES as error:
        reason = printable(" ".join(str(error).split()))[:MOST_CHARACTERS] or type(error).__name__
        raise CheckpointError(f"{path} is damaged, cut off, or not a checkpoint of torch ({reason})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a checkpoint with weights and options")
    return content


def check_archive(path: Path) -> None:
    """Raise a `CheckpointError` for an archive that is not one: compressed, oversized, a TorchScript program.

    Files from before torch 1.6 are no archives and pass.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise CheckpointError(f"{path} is a compressed archive, which torch does not write: unpack it first")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise CheckpointError(f"{path} is damaged: its parts are larger than the file")
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise CheckpointError(f"{path} is refused: it is a TorchScript program, not a checkpoint with weights")


def check_tensors(path: Path, tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a state dict that was read from a file.

    Raises:
        CheckpointError: Something else is among them, a value is NaN or infinite, or a tensor claims more values than
            the file holds.
    """
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            raise CheckpointError(f"{path}: {printable(str(name))[:80]!r} is not a dense tensor")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise CheckpointError(f"{path}: {printable(name)[:80]!r} has more values than the file holds")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path}: {printable(name)[:80]!r} has NaN or infinite weights: take another file")
    return dict(tensors)
