"""Routes of jobs: uploads that are predicted while their sender looks after them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from zoo.serving.forms import MOST_NEIGHBORS, How
from zoo.serving.jobs import Job, Jobs
from zoo.serving.refusal import Refusal
from zoo.serving.routes import service_of
from zoo.serving.work import OpenUpload

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".smi", ".smiles", ".sdf", ".sd", ".mol")
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")
"""First bytes of gzip, bzip2, xz and zip, whose content may be much larger than they are."""
MOST_PAGE = 500
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


def asked_how(
    domain: Annotated[bool, Query(description="compare with the training molecules")] = False,
    neighbors: Annotated[int, Query(ge=0, le=MOST_NEIGHBORS)] = 0,
    uncertainty: Annotated[str | None, Query(max_length=50)] = None,
    coverage: Annotated[float | None, Query(gt=0, lt=1)] = None,
) -> How:
    """Collect what is asked for with the predictions."""
    return How(domain=domain, neighbors=neighbors, uncertainty=uncertainty, coverage=coverage)


def jobs_of(request: Request) -> Jobs:
    """Return the jobs of the application."""
    found: Jobs = request.app.state.jobs
    return found


BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=202, summary="Upload a file", openapi_extra=BODY)
async def start(
    request: Request,
    how: Annotated[How, Depends(asked_how)],
    name: Annotated[str, Query(min_length=1, max_length=200, description="name of the file; its suffix says its kind")],
    run: Annotated[
        list[str] | None, Query(max_length=100, description="names of runs; all unless some are named")
    ] = None,
    smiles_column: Annotated[str | None, Query(max_length=200)] = None,
    separator: Annotated[str | None, Query(description="comma, semicolon or tab; found unless it is named")] = None,
) -> Response:
    """Upload a table (CSV, TSV, SMILES) or an SD file as the body of the request, and begin to predict it.

    `curl --data-binary @molecules.csv 'http://localhost:8000/api/jobs?name=molecules.csv'`. Ask for the job every some
    seconds: one that nobody asks about is cancelled.
    """
    jobs, service = jobs_of(request), service_of(request)
    runs, shown = service.choose(run), shown_name(name)
    for each in runs:
        service.how(each, how)
    if separator is not None and separator not in SEPARATORS:
        raise Refusal(422, f"separator: give one of {', '.join(SEPARATORS)}")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise Refusal(415, "send the file itself as the body, not a form: curl --data-binary @FILE")
    suffix = PurePosixPath(shown).suffix.lower()
    place = jobs.reserve(suffix)
    try:
        await save_body(request, place)
    except BaseException:
        jobs.release(place)
        raise
    reading = {"smiles_column": smiles_column, "separator": None if separator is None else SEPARATORS[separator]}
    job = jobs.begin(OpenUpload(str(place), shown, reading, service.options.max_rows), runs, how)
    return JSONResponse(job.to_dict(), 202, headers={"Location": f"/api/jobs/{job.id}"})


def shown_name(name: str) -> str:
    """Return the name of an upload, without folders and control characters.

    Raises:
        Refusal: 415 for another kind of file.
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(letter for letter in last if letter.isprintable()).strip() or "upload"
    if PurePosixPath(shown).suffix.lower() not in SUFFIXES:
        raise Refusal(415, f"{shown[:60]!r}: give a name that ends with {', '.join(SUFFIXES)}")
    return shown


async def save_body(request: Request, place: Path) -> None:
    """Write the body of a request to a file as it comes."""
    with place.open("wb") as file:
        async for block in request.stream():
            if file.tell() == 0 and block.startswith(COMPRESSED):
                raise Refusal(415, "the file is compressed: unpack it first")
            file.write(block)


@router.get("/{job}", summary="How far it is")
async def look(request: Request, job: str) -> dict[str, Any]:
    """Return state, rows that are done, and the columns of the results."""
    return jobs_of(request).find(job).to_dict()


@router.delete("/{job}", status_code=204, summary="Cancel and forget it")
async def cancel(request: Request, job: str) -> Response:
    """Cancel a job that runs, and remove its results."""
    jobs = jobs_of(request)
    jobs.remove(jobs.find(job))
    return Response(status_code=204)


@router.get("/{job}/rows", summary="Some of its rows")
async def rows(
    request: Request,
    job: str,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 50,
    run: Annotated[str | None, Query(max_length=200, description="run of the column to sort by")] = None,
    sort: Annotated[str | None, Query(max_length=500, description="column to sort by")] = None,
    descending: bool = False,
    failed: Annotated[bool, Query(description="only rows without a prediction")] = False,
) -> Response:
    """Return rows in the order of the upload, or sorted by a column of a run; those that are done so far."""
    results = jobs_of(request).find(job).results
    try:
        page = await asyncio.to_thread(results.page, offset, limit, run, sort, descending, failed)
    except (KeyError, StopIteration):
        raise Refusal(404, "no such column to sort by") from None
    return JSONResponse(page)


@router.get("/{job}/table.csv", summary="All of its rows as CSV", response_class=StreamingResponse)
async def download(request: Request, job: str) -> Response:
    """Return the rows of the upload with their predictions, as `molzoo predict --guard-formulas` writes them."""
    found: Job = jobs_of(request).find(job)
    if found.state != "done":
        raise Refusal(409, f"this job is {found.state}: its table is there when it is done")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePosixPath(found.upload.name).stem) or "molecules"
    headers = {"Content-Disposition": f'attachment; filename="{stem}.predicted.csv"'}
    return StreamingResponse(found.results.to_csv(), media_type="text/csv; charset=utf-8", headers=headers)
