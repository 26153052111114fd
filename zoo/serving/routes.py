"""Routes of predictions and explanations at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from zoo.serving.cards import CARD_POLICY, clean_card
from zoo.serving.forms import ExplainForm, LoginForm, PredictForm
from zoo.serving.guards import COOKIE, Keys
from zoo.serving.refusal import Refusal
from zoo.serving.service import PIECE, Service, known_explainer
from zoo.serving.tables import to_records
from zoo.serving.work import Draw, Explain, ReadCard

router = APIRouter()
Molecule = Annotated[str, Query(min_length=1, max_length=10_000, description="a SMILES")]
RunName = Annotated[str, Path(max_length=200, description="name of a run")]


def service_of(request: Request) -> Service:
    """Return what the application answers with."""
    found: Service = request.app.state.service
    return found


@router.get("/api/runs", tags=["runs"], summary="What is served, and the limits")
async def list_runs(request: Request) -> dict[str, Any]:
    """Return what each run predicts and has: domain, intervals, estimators of uncertainty, a card."""
    service, options = service_of(request), service_of(request).options
    limits = {name: getattr(options, name) for name in ("max_rows", "max_molecules", "max_atoms", "max_megabytes")}
    return {"runs": list(service.facts.values()), "limits": limits}


@router.post("/api/predict", tags=["predictions"], summary="Predict molecules at once")
async def predict(form: PredictForm, request: Request) -> Response:
    """Predict molecules with one run or several.

    Each row has the columns of `molzoo predict`: `predicted_TASK`, what else was asked for and the run has, and
    `reason`, which is empty where there is a prediction. Larger files are for `/api/jobs`.
    """
    service = service_of(request)
    names, count = service.choose(form.runs), len(form.molecules)
    if count > service.options.max_molecules:
        raise Refusal(413, f"{count:,} molecules, and a request takes {service.options.max_molecules:,}: send a job")
    if wrong := [name for name, numbers in form.features.items() if len(numbers) != count]:
        raise Refusal(422, f"features: {wrong[0][:60]!r} has not as many numbers as there are molecules")
    answers = await asyncio.gather(*(predict_with(service, name, form, request) for name in names))
    return JSONResponse({"runs": [{"run": name, "rows": rows} for name, rows in zip(names, answers, strict=True)]})


async def predict_with(service: Service, run: str, form: PredictForm, request: Request) -> list[dict[str, Any]]:
    """Predict with one run, piece by piece, as long as the client is there."""
    how, rows = service.how(run, form), list[dict[str, Any]]()
    columns = service.facts[run]["molecule_columns"]
    if any(isinstance(row, list) != bool(columns) or (columns and len(row) != len(columns)) for row in form.molecules):
        expected = f"{len(columns)} molecules ({', '.join(columns)})" if columns else "one molecule"
        raise Refusal(422, f"molecules: {run} reads {expected} in a row")
    for start in range(0, len(form.molecules), PIECE):
        if start and await request.is_disconnected():
            raise Refusal(499, "the client has left")
        piece = slice(start, start + PIECE)
        features = {name: numbers[piece] for name, numbers in form.features.items()}
        table = await service.predict(run, form.molecules[piece], features, how)
        service.metrics.count("molzoo_rows_failed_total", int((table["reason"] != "").sum()), run=run)
        rows += to_records(table)
    return rows


@router.post("/api/explain", tags=["predictions"], summary="Which atoms a prediction comes from")
async def explain(form: ExplainForm, request: Request) -> Response:
    """Attribute a prediction to atoms and bonds: contributions, and a picture as PNG in base64."""
    service = service_of(request)
    run = service.choose(None if form.run is None else [form.run])[0]
    known_explainer(form.method)
    asked = {"method": form.method, "task": form.task, "class_name": form.class_name}
    options = {name: value for name, value in asked.items() if value is not None}
    return JSONResponse(await service.runs[run].ask(Explain(form.molecule, form.features, options)))


@router.get(
    "/api/structure.svg",
    tags=["predictions"],
    summary="Draw a molecule",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
async def draw(
    request: Request,
    molecule: Molecule,
    width: Annotated[int, Query(ge=40, le=1000)] = 280,
    height: Annotated[int, Query(ge=40, le=1000)] = 200,
) -> Response:
    """Draw a molecule of at most 300 atoms as SVG; of a larger one the picture is empty."""
    svg = await service_of(request).sketcher.ask(Draw(molecule, width, height))
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) if " xmlns=" not in svg[:300] else svg
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
               "Cache-Control": "private, max-age=3600"}  # fmt: skip
    return Response(svg, media_type="image/svg+xml", headers=headers)


@router.get("/api/runs/{run}/card", tags=["runs"], summary="The card of a run", response_class=HTMLResponse)
async def card(request: Request, run: RunName) -> Response:
    """Return the page that `molzoo card` wrote, without paths of this machine."""
    service = service_of(request)
    text = await service.runs[service.choose([run])[0]].ask(ReadCard())
    if text is None:
        raise Refusal(404, "this run has no card: `molzoo card RUN` writes one")
    return HTMLResponse(clean_card(text), headers={"Content-Security-Policy": CARD_POLICY})


@router.post("/api/login", tags=["server"], summary="Begin a session in a browser", status_code=204)
async def log_in(form: LoginForm, request: Request) -> Response:
    """Set a cookie for a token, so that pictures and downloads have it too."""
    keys: Keys = request.app.state.keys
    if keys.token is not None and not keys.fits(form.token):
        raise Refusal(401, "this is not the token of this server")
    response = Response(status_code=204)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, keys.session, httponly=True, samesite="strict", secure=secure)
    return response


@router.get("/health/live", tags=["server"], summary="Whether the server runs")
async def live() -> dict[str, str]:
    """Return at once."""
    return {"status": "live"}


@router.get("/health/ready", tags=["server"], summary="Whether all runs are loaded")
async def ready(request: Request) -> dict[str, str]:
    """Return 503 where a run is being loaded."""
    if not service_of(request).ready:
        raise Refusal(503, "runs are being loaded", 5)
    return {"status": "ready"}


@router.get("/metrics", tags=["server"], summary="Counters for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Return requests, rows, seconds, errors, waiting requests and memory."""
    service = service_of(request)
    jobs = request.app.state.jobs.jobs.values()
    states = {f'molzoo_jobs{{state="{state}"}}': sum(job.state == state for job in jobs)
              for state in ("waiting", "running", "done", "failed", "cancelled")}  # fmt: skip
    return PlainTextResponse(service.metrics.to_text({**service.gauges(), **states}))
