"""`Guard`: checks of every request (host, origin, token, size and time), and the headers of every answer."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from zoo.serving.metrics import Metrics
from zoo.serving.options import ServeOptions
from zoo.serving.refusal import Refusal

LOG = logging.getLogger("molzoo.serve")
COOKIE = "molzoo_session"
BODY_SECONDS = 120.0
DRAINED_BYTES, DRAIN_SECONDS = 4_000_000, 2.0
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = ("/", "/docs", "/openapi.json", "/api/login", "/health/live", "/health/ready")
"""Paths that need no token, besides those of the page's files: they tell nothing of runs or molecules."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Keys:
    """The token, and the session that stands for it in browsers.

    Args:
        token: None lets everybody in.
    """

    def __init__(self, token: str | None) -> None:
        self.token, self.session = token, secrets.token_urlsafe(32)

    def fits(self, token: str) -> bool:
        """Return whether this is the token; the time for it tells nothing."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def admits(self, headers: Headers) -> bool:
        """Return whether a request has the token, or a session that was begun with it."""
        if self.token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.fits(token.strip()):
            return True
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies[COOKIE].value if COOKIE in cookies else ""
        return hmac.compare_digest(found.encode(), self.session.encode())


class Guard:
    """ASGI application around another one.

    Args:
        app: The other one.
        options: Limits and names.
        keys: Who may ask.
        metrics: Where requests are counted.
    """

    def __init__(self, app: Any, options: ServeOptions, keys: Keys, metrics: Metrics) -> None:
        self.app, self.options, self.keys, self.metrics = app, options, keys, metrics
        names = {"localhost", options.host, *options.allowed_hosts}
        self.names = {name.lower() for name in (names if options.is_local else {*names, socket.gethostname()})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        begin, state = time.perf_counter(), {"status": 0}

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self.check(scope)
            await self.app(scope, self.limit(scope, receive), send_guarded)
        except Refusal as refusal:
            if not state["status"]:
                await drain(receive)
                await answer(send_guarded, refusal.status_code, refusal.detail, dict(refusal.headers or {}))
        except Exception:
            LOG.exception("%s %s failed", scope["method"], route_of(scope))
            if not state["status"]:
                await answer(send_guarded, 500, "the server failed at this; its log has the reason", {})
        finally:
            route = route_of(scope)
            self.metrics.count("molzoo_requests_total", route=route, status=str(state["status"] or "none"))
            self.metrics.time(route, time.perf_counter() - begin)

    def check(self, scope: Scope) -> None:
        """Refuse a request by its head alone.

        Raises:
            Refusal: 421 for another host, 403 for the page of another site, 401 without the token, 413 for its size.
        """
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        if not path.startswith("/health/") and not self.knows(host):
            raise Refusal(
                421, "this server is not called so; its administrator can allow the name with --allowed-hosts"
            )
        if scope["method"] not in SAFE:
            origin = headers.get("origin")
            if (origin is not None and urlsplit(origin).netloc.lower() != host.lower()) or headers.get(
                "sec-fetch-site"
            ) == "cross-site":
                raise Refusal(403, "a page of another site sent this")
        if path not in OPEN and not path.startswith("/static/") and not self.keys.admits(headers):
            raise Refusal(401, "give the token of this server: Authorization: Bearer TOKEN")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.options.max_bytes:
            raise Refusal(413, f"this server takes {self.options.max_megabytes:g} MB: send less at a time")

    def knows(self, host: str) -> bool:
        """Return whether a browser may call the server so.

        A page of another site can let its own name point to this machine (DNS rebinding); it cannot do so with an
        address, or with a name of this machine.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        return address.is_loopback or not self.options.is_local or name in self.names

    def limit(self, scope: Scope, receive: Receive) -> Receive:
        """Return `receive` with limits of size and time for the body of a request."""
        left, deadline, done = self.options.max_bytes, time.monotonic() + BODY_SECONDS, False

        async def receive_limited() -> MutableMapping[str, Any]:
            nonlocal left, done
            if done:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(deadline - time.monotonic(), 0.001))
            except asyncio.TimeoutError:
                raise Refusal(408, f"the request did not arrive within {BODY_SECONDS:g} s") from None
            left -= len(message.get("body", b""))
            done = not message.get("more_body", False)
            if left < 0:
                raise Refusal(413, f"this server takes {self.options.max_megabytes:g} MB: send less at a time")
            return message

        return receive_limited


async def drain(receive: Receive) -> None:
    """Read the rest of a body that is not large: a client that still sends would lose the answer."""
    left, deadline = DRAINED_BYTES, time.monotonic() + DRAIN_SECONDS
    while left > 0:
        try:
            message = await asyncio.wait_for(receive(), max(deadline - time.monotonic(), 0.001))
        except asyncio.TimeoutError:
            return
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def route_of(scope: Scope) -> str:
    """Return the route of a request with the names of its parameters, so that there are few of them."""
    return str(getattr(scope.get("route"), "path", "none"))


async def answer(send: Send, status: int, message: str, headers: dict[str, str]) -> None:
    """Send an error as JSON, and end the connection, whose request may not be read to its end."""
    body = json.dumps({"error": message}).encode()
    head = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **headers}
    pairs = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in head.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
