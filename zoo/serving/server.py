"""`serve`: the application behind uvicorn, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from zoo.serving.app import make_app
from zoo.serving.options import ServeOptions
from zoo.serving.service import Service

HEAD_SECONDS, KEEP_ALIVE, GRACE = 15.0, 15, 10
MOST_CONNECTIONS, LARGEST_HEAD = 256, 32_768
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class PatientProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which ends a connection whose first request does not arrive in time."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the head of a request."""
        super().connection_made(transport)
        self.loop.call_later(HEAD_SECONDS, self.end_if_silent)

    def end_if_silent(self) -> None:
        """End a connection without a request."""
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """Server that a signal stops in an orderly way: running requests are answered, and the status is 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal in this block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def serve(
    runs: Sequence[str | Path], options: ServeOptions | None = None, say: Callable[[str, Service], None] | None = None
) -> None:
    """Serve runs until a signal stops it.

    Args:
        runs: Folders of runs, checkpoints or ensembles.
        options: See `ServeOptions`.
        say: Called with the address and the runs once they are loaded.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's.
        ValueError: A run cannot be loaded, or the token is too short.
    """
    asyncio.run(serve_runs(runs, options or ServeOptions(), say))


async def serve_runs(
    runs: Sequence[str | Path], options: ServeOptions, say: Callable[[str, Service], None] | None
) -> None:
    """Serve runs; arguments and errors as in `serve`."""
    options.read_token()
    with listen(options) as place:
        service = Service(runs, options)
        await service.start()
        try:
            config = uvicorn.Config(
                make_app(runs, options, service),
                http=PatientProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
            )
            if say is not None:
                say(address_of(place, options), service)
            await Server(config).serve(sockets=[place])
        finally:
            await service.stop()


def listen(options: ServeOptions) -> socket.socket:
    """Return a socket that listens, so that a port in use is found before runs are loaded.

    Raises:
        OSError: It is in use, or the address is not one of this machine's; the message has the remedy.
    """
    found: list[Any] = []
    place: socket.socket | None = None
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        place = socket.socket(found[0][0], socket.SOCK_STREAM)
        if os.name != "nt":
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(found[0][4])
        place.listen(128)
    except OSError as error:
        if place is not None:
            place.close()
        remedy = {
            errno.EADDRINUSE: "is in use: give another --port, or 0 for a free one",
            errno.EACCES: "may not be used: give a --port of 1024 or more",
        }.get(error.errno or 0, f"cannot be used ({error.strerror or error}): give an address of this machine")
        raise OSError(f"{options.host}:{options.port} {remedy}") from error
    return place


def address_of(place: socket.socket, options: ServeOptions) -> str:
    """Return the address for browsers."""
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(options.host, options.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{place.getsockname()[1]}"
