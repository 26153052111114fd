"""The pages and their files, which are read once: no request names a path on the disk."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from zoo.serving.refusal import Refusal

FOLDER = Path(__file__).with_name("page")
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".gif": "image/gif",
    ".txt": "text/plain; charset=utf-8",
}
EDITOR_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The editor of structures writes scripts into its own page: it gets a frame that takes no input and sends nothing."""

router = APIRouter(include_in_schema=False)


@cache
def read_files() -> dict[str, tuple[bytes, str, str]]:
    """Return content, kind and tag of each file by its name."""
    files = [path for path in sorted(FOLDER.rglob("*")) if path.suffix in KINDS]
    contents = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}
    return {
        name: (content, KINDS[Path(name).suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')
        for name, content in contents.items()
    }


def send_file(request: Request, name: str) -> Response:
    """Answer with a file; a browser that has it is told so."""
    if name not in read_files():
        raise Refusal(404, "no such page")
    content, kind, tag = read_files()[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


@router.get("/")
async def page(request: Request) -> Response:
    """Return the page."""
    return send_file(request, "index.html")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the page about the interface, which shows `/openapi.json`."""
    return send_file(request, "docs.html")


@router.get("/static/{name:path}")
async def static(request: Request, name: str) -> Response:
    """Return a file of the pages."""
    response = send_file(request, name)
    if name == "editor.html":
        response.headers["Content-Security-Policy"] = EDITOR_POLICY
    return response
