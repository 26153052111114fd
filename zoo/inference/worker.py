"""`python -m zoo.inference.worker PARENT`: a process that predicts what its parent writes to its standard input.

It is started by its name, not by `multiprocessing`, which would import the user's script again, and run it where it has
no `if __name__ == "__main__":`. Input and output are pickles: the module path of the parent, the job, and then
molecules for tables. The argument is the number of the parent process.
"""

from __future__ import annotations

import importlib
import os
import pickle
import queue
import signal
import sys
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from featurizers.collection import without_collection
from zoo.data.packing.processes import end_with
from zoo.inference.job import Failure, Job, predict_rows
from zoo.runs.process import tune_process

if TYPE_CHECKING:
    from zoo.data import MoleculeRows
    from zoo.learners.predictor import Predictor


def main() -> None:
    """Answer until the input ends."""
    end_with(int(sys.argv[1]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    requests = sys.stdin.buffer
    try:
        sys.path[:] = pickle.load(requests)
        import_early()
        job: Job = pickle.load(requests)
    except EOFError:  # the parent has ended already
        return
    pieces: queue.SimpleQueue[MoleculeRows] = queue.SimpleQueue()
    threading.Thread(target=read_on, args=(requests, pieces), daemon=True).start()
    learner = prepare(job)
    while True:
        pickle.dump(answer(learner, pieces.get(), job), replies)
        replies.flush()


def import_early() -> None:
    """Import what every prediction takes; what fails is imported again with the job, and reported then."""
    tune_process()
    with suppress(Exception), without_collection():
        importlib.import_module("zoo.learners.loading")


def read_on(requests: BinaryIO, pieces: queue.SimpleQueue[MoleculeRows]) -> None:
    """Take requests as they come; the end of the input, which is that of the parent, ends this process at once."""
    try:
        while True:
            pieces.put(pickle.load(requests))
    finally:
        os._exit(0)


def prepare(job: Job) -> Predictor | Failure:
    """Load the learner once, for one thread: the processes share the cores."""
    warnings.simplefilter("ignore")  # the parent has loaded the same and has reported it
    try:
        import torch

        torch.set_num_threads(1)
        return job.load()
    except Exception as error:  # a model that was registered in the user's script, say
        return Failure(one_line(error), loaded=False)


def answer(learner: Predictor | Failure, molecules: MoleculeRows, job: Job) -> Any:
    """Predict some rows, or report why that is impossible."""
    if isinstance(learner, Failure):
        return learner
    try:
        return predict_rows(learner, molecules, job)
    except Exception as error:  # whatever it is, it belongs to these rows, and the parent reports it
        return Failure(one_line(error), loaded=True)


def one_line(error: Exception) -> str:
    """Return kind and message of an error."""
    return " ".join(f"{type(error).__name__}: {error}".split())


if __name__ == "__main__":
    main()
