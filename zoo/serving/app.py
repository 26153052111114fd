"""`make_app`: the application that answers, for uvicorn or any other ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

import zoo
from zoo.serving import job_routes, pages, routes
from zoo.serving.guards import Guard, Keys
from zoo.serving.jobs import Jobs
from zoo.serving.options import ServeOptions
from zoo.serving.service import Service

DESCRIPTION = """Predictions of trained models for molecules.

Every error is JSON with one member, `error`, that says what is wrong and what to do."""
MOST_FAULTS = 5


def make_app(runs: Sequence[str | Path], options: ServeOptions | None = None, service: Service | None = None) -> Guard:
    """Make the application that serves runs; its processes start with it and end with it.

    Args:
        runs: Folders of runs, checkpoints or ensembles.
        options: See `ServeOptions`.
        service: The runs, where they are loaded already.

    Raises:
        ValueError: No run, or a token that is too short.
    """
    options = options or ServeOptions()
    keys = Keys(options.read_token())
    service = service or Service(runs, options)
    jobs = Jobs(service)

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        try:
            await service.start()
            watch = asyncio.create_task(jobs.look_after())
            yield
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        finally:
            await jobs.stop()
            await service.stop()

    app = FastAPI(
        title="molzoo", version=zoo.__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=live
    )
    app.state.service, app.state.jobs, app.state.keys = service, jobs, keys
    for each in (routes, job_routes, pages):
        app.include_router(each.router)
    app.add_exception_handler(HTTPException, report)
    app.add_exception_handler(RequestValidationError, report_faults)
    return Guard(app, options, keys, service.metrics)


async def report(request: Request, error: Any) -> Response:
    """Answer with the message of a refusal."""
    return JSONResponse({"error": str(error.detail)}, error.status_code, headers=error.headers)


async def report_faults(request: Request, error: Any) -> Response:
    """Answer with what is wrong with a request; its own content is not sent back."""
    faults = error.errors()[:MOST_FAULTS]
    return JSONResponse({"error": "; ".join(map(describe, faults))}, 422)


def describe(fault: dict[str, Any]) -> str:
    """Return place and kind of a fault in a request."""
    if fault["type"] == "json_invalid":
        return "the body is not JSON"
    place = ".".join(str(each) for each in fault["loc"][1:])[:100] or "the body"
    return f"{place}: {str(fault['msg'])[:200]}"
