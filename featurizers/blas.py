"""Linear algebra of single molecules in one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any


@cache
def _libraries() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:  # where `molzoo_runner` is used alone
        return None
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy's linear algebra use one thread in the block.

    To share the matrix of a molecule among threads takes longer than to work on it: eigenvectors of 30 atoms took 20
    times as long on two threads, and with two processes beside each other a multiple of that. Without threadpoolctl
    nothing is limited.

    Nothing is set where one thread is the limit already, as in a process that was forked within such a block: OpenBLAS
    would start its threads anew there, which spin for a tenth of a second before they sleep.
    """
    libraries = _libraries()
    limited = libraries is None or all(library.num_threads == 1 for library in libraries.lib_controllers)
    with nullcontext() if limited else libraries.limit(limits=1):
        yield
