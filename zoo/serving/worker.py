"""`python -m zoo.serving.worker PARENT`: a process that answers what the server writes to its standard input.

Messages are pickles with their length in eight bytes before them: the module path of the server, what to start with,
and then questions. A molecule that hangs or crashes RDKit or a model ends this process, and not the server.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import traceback
import warnings
from typing import Any, BinaryIO

from zoo.data.packing.processes import end_with
from zoo.serving.work import Failure, RunStart, replace_path

LENGTH = struct.Struct(">Q")


def main() -> None:
    """Answer until the input ends."""
    end_with(int(sys.argv[1]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    for each in (signal.SIGINT, signal.SIGTERM):  # they are for the server, which closes the input
        signal.signal(each, signal.SIG_IGN)
    requests = sys.stdin.buffer
    try:
        sys.path[:] = read_message(requests)
        start = read_message(requests)
        state = open_state(start)
        write_message(replies, state if isinstance(state, Failure) else None)
        while not isinstance(state, Failure):
            write_message(replies, answer(read_message(requests), state, start))
    except (EOFError, BrokenPipeError):
        return


def open_state(start: Any) -> Any:
    """Load what questions are answered with, or say why that is impossible."""
    from rdkit import RDLogger

    from featurizers.collection import without_collection
    from zoo.runs.process import tune_process

    with without_collection():
        if isinstance(start, RunStart):
            import torch

            torch.set_num_threads(start.threads)
    tune_process()
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]  # reasons are in the answers
    warnings.simplefilter("ignore")
    try:
        if not isinstance(start, RunStart):
            from zoo.views import drawings

            return drawings
        from zoo.serving.served import Served

        return Served.load(start)
    except Exception as error:
        return fail(error, start)


def answer(question: Any, state: Any, start: Any) -> Any:
    """Return the answer to a question, or a `Failure`."""
    try:
        return question.answer(state)
    except Exception as error:  # whatever it is, it belongs to this question
        return fail(error, start)


def fail(error: Exception, start: Any) -> Failure:
    """Return what to say about an error; the trace of one that nobody asked for goes to the server's log."""
    asker = isinstance(error, (ValueError, TypeError, LookupError, ImportError, OSError))
    if not asker:
        traceback.print_exception(error)
    text = " ".join(str(error).strip("'\"").split()) or type(error).__name__
    if isinstance(start, RunStart):
        text = replace_path(text, start.path, start.name)
    return Failure(text, asker)


def read_message(stream: BinaryIO) -> Any:
    """Read one object.

    Raises:
        EOFError: The stream has ended.
    """
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(*LENGTH.unpack(head)))


def write_message(stream: BinaryIO, content: Any) -> None:
    """Write one object."""
    stream.write(pack_message(content))
    stream.flush()


def pack_message(content: Any) -> bytes:
    """Return an object as bytes with their length before them."""
    body = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


if __name__ == "__main__":
    main()
