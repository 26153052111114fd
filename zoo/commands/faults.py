"""Attribution of exceptions to the user, the machine or molzoo, and their messages."""

from __future__ import annotations

import dataclasses
import errno
import linecache
import platform
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import zoo
from zoo.data.errors import printable
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.registry.registry import UnknownName

USER, OURS = 2, 1
LONGEST = 600
PACKAGES = tuple(
    str(Path(zoo.__file__).resolve().parents[1] / name) for name in ("zoo", "optim", "featurizers", "molzoo_runner")
)
DAMAGED = (
    *("SafetensorError", "YAMLError", "BadZipFile", "EOFError", "UnpicklingError", "LZMAError", "ParserError"),
    *("csv.Error", "zlib.error", "struct.error", "sqlite3.Error", "binascii.Error", "ArrowException"),
)
"""Classes of errors that damaged files cause, by name, so that their packages need not be imported."""
MEMORY = ("MemoryError", "OutOfMemoryError")
WORDS_OF_MACHINE = ("out of memory", "can't allocate memory", "no space left", "unable to write", "failed writing",
                    "file write failed", "cuda error", "shared memory", "no kernel image", "nccl")  # fmt: skip
FIELDS = [field.name for cls in (DataOptions, TrainingOptions) for field in dataclasses.fields(cls)]
KEYWORD = re.compile(rf"\b({'|'.join(FIELDS)})=(?=[\s,.;:)]|$)")
ADVICE = re.compile(rf"\b(use|say|or) ({'|'.join(FIELDS)})='([\w-]+)'")
LESS_MEMORY = "give a smaller --batch-size or --chunk-size, or fewer --num-workers"
REMEDIES = {
    errno.ENOSPC: "free some space, or write elsewhere",
    errno.EDQUOT: "free some space, or write elsewhere",
    errno.EFBIG: "raise the limit of `ulimit -f`, or write elsewhere",
    errno.EACCES: "change its permissions, or name another place",
    errno.EPERM: "change its permissions, or name another place",
    errno.EROFS: "name another place",
    errno.ENOENT: "check the name",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name a folder",
    errno.EMFILE: "raise the limit with `ulimit -n`",
    errno.ENOMEM: LESS_MEMORY,
    errno.EIO: "check the disk",
    errno.ESTALE: "mount the file system again",
}


@dataclass(frozen=True)
class Fault:
    """End of a command after an exception.

    Args:
        message: What standard error gets: one line, but for our own faults.
        status: Exit status of the process.
    """

    message: str
    status: int


def find_fault(error: BaseException, arguments: Sequence[str] = ()) -> Fault:
    """Distinguish mistakes of users and faults of the machine (one line, status 2) from faults of molzoo (status 1).

    Args:
        error: With its traceback.
        arguments: What the command was called with, whose files are named where the error names none.
    """
    line = describe(error)
    if line is None:
        return Fault(report(error), OURS)
    text = printable(with_flags(" ".join(line.split())))
    files = [argument for argument in arguments if Path(argument).suffix or "/" in argument]
    if is_a(error, DAMAGED) and files and not any(file in text for file in files):
        text += f" (called with {', '.join(files)})"
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    return Fault(f"molzoo: error: {text}", USER)


def with_flags(text: str) -> str:
    """Return a message with `--smiles-column` for the `smiles_column=` of Python, also where a value is advised.

    Example:
        >>> with_flags("name its column with smiles_column=, or use split='random'")
        'name its column with --smiles-column, or use --split random'
    """
    text = ADVICE.sub(lambda found: f"{found[1]} --{found[2].replace('_', '-')} {found[3]}", text)
    return KEYWORD.sub(lambda found: "--" + found[1].replace("_", "-"), text)


def describe(error: BaseException) -> str | None:
    """Describe a user's mistake or a fault of the machine; return None for a fault of molzoo."""
    name = type(error).__name__
    text = str(error).strip() or name
    if is_a(error, MEMORY) or "out of memory" in text.lower():
        return f"out of memory: {LESS_MEMORY}" + ("" if text == name else f" ({text})")
    if is_a(error, DAMAGED):
        return f"a file is damaged, or of another kind than its name says: {name}: {text}"
    if isinstance(error, RecursionError):
        return "a file is nested too deeply to be read"
    if is_a(error, ("BrokenProcessPool",)):
        return f"a worker process has ended unexpectedly, which is often a lack of memory: {LESS_MEMORY} ({text})"
    if isinstance(error, OSError):
        return describe_os_error(error)
    if isinstance(error, (ValueError, ImportError, UnknownName)) or raised_on_purpose(error):
        return text.strip("'\"") if isinstance(error, KeyError) else text
    if isinstance(error, RuntimeError) and any(word in text.lower() for word in WORDS_OF_MACHINE):
        return f"the machine could not do it: {text}"
    return None


def describe_os_error(error: OSError) -> str:
    """Return file, reason and remedy of an error of the operating system."""
    if error.errno is None or error.strerror is None or type(error).__str__ is not OSError.__str__:
        return str(error) or type(error).__name__
    remedy = REMEDIES.get(error.errno)
    place = f"{error.filename}: " if error.filename is not None else ""
    return f"{place}{error.strerror}" + (f": {remedy}" if remedy else "")


def is_a(error: BaseException, names: Sequence[str]) -> bool:
    """Return whether an error, by a class or base class, has one of these names, with or without module."""
    own = [(cls.__name__, f"{cls.__module__.lstrip('_')}.{cls.__name__}") for cls in type(error).__mro__]
    return any(name in names or full in names for name, full in own)


def raised_on_purpose(error: BaseException) -> bool:
    """Return whether a line of molzoo raised the error by `raise`, as it does for mistakes of users."""
    last = last_frame(error.__traceback__)
    if last is None:
        return False
    file, line = last.tb_frame.f_code.co_filename, last.tb_lineno
    ours = str(Path(file).resolve()).startswith(PACKAGES)
    return ours and linecache.getline(file, line).lstrip().startswith("raise")


def last_frame(trace: TracebackType | None) -> TracebackType | None:
    """Return where an exception was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def report(error: BaseException) -> str:
    """Return a short report of a fault of molzoo: what, where, on what, and where to send it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if str(Path(frame.filename).resolve()).startswith(PACKAGES)] or frames
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name}" if ours else ""
    what = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:LONGEST]
    return (
        f"molzoo: this is a fault of molzoo, not of yours: {what}{place}\n"
        f"  on {describe_versions()}\n"
        "  Please open an issue at the repository where you found molzoo, with these lines and the command;\n"
        "  MOLZOO_TRACEBACK=1 in front of the command shows the complete trace."
    )


def describe_versions() -> str:
    """Return the versions of molzoo and of its main dependencies."""
    found = [f"molzoo {zoo.__version__}", f"Python {platform.python_version()}"]
    for package in ("torch", "dgl", "rdkit", "numpy"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join([*found, platform.system()])
