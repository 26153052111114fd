"""Pictures of a card: quality of the test predictions, error by similarity, the best and the worst molecules."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from zoo.data.kinds_apart import KindPart
from zoo.experiments.card.source import CardSource
from zoo.tasks import format_value
from zoo.views import drawings, plots
from zoo.views.domain_plots import draw_error_by_similarity, error_by_similarity
from zoo.views.tensorboard_pages import format_values
from zoo.views.themed import SETTINGS, to_themed_svg

MOST_POINTS, MOST_DRAWN = 3000, 4


@dataclass(frozen=True)
class Drawn:
    """Drawing of a test molecule.

    Args:
        svg: SVG text.
        smiles: The molecule.
        lines: Where it is, what was measured and predicted, and how similar the training molecules are.
    """

    svg: str
    smiles: str
    lines: list[str]


def picture(draw: Callable[[], Figure], points: int = 0) -> str:
    """Return a figure as a data address: SVG in the reader's colours, or PNG where there are many points."""
    with matplotlib.rc_context(SETTINGS):
        figure = draw()
        if points <= MOST_POINTS:
            return address("svg+xml", to_themed_svg(figure).encode())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return address("png", buffer.getvalue())


def address(kind: str, content: bytes) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def draw_quality(source: CardSource) -> list[str]:
    """Draw measured against predicted values, ROC curves, or a confusion, of each kind of target."""

    def drawing(part: KindPart) -> Callable[[], Figure]:
        return lambda: plots.quality(part.dataset, part.predictions)

    return [picture(drawing(part), part.dataset.targets.size) for part in source.by_kind]


def draw_certainty(source: CardSource) -> str | None:
    """Return the run's picture of what it knows of its uncertainty; `None` where there is none."""
    file = source.place.picture("uncertainty_calibrated")
    return address("png", file.read_bytes()) if file.is_file() and not file.is_symlink() else None


def draw_domain(source: CardSource) -> str | None:
    """Draw the error by similarity; `None` where too few labels have an error."""
    table = error_by_similarity(source.errors, source.resemblance.similarity)
    if len(table) < 2:
        return None
    return picture(lambda: draw_error_by_similarity(table, source.domain.threshold))


def draw_extremes(source: CardSource) -> tuple[list[Drawn], list[Drawn]]:
    """Draw the test molecules with the smallest and with the largest errors, a molecule at most once in each."""
    errors = source.errors
    order = np.argsort(np.where(np.isnan(errors), np.inf, errors), axis=None, kind="stable")
    places = [np.unravel_index(place, errors.shape) for place in order]
    places = [(int(row), int(task)) for row, task in places if not np.isnan(errors[row, task])]
    best, worst = distinct(places), distinct(places[::-1])
    drawn_well = {row for row, _ in best}
    return draw_rows(source, best), draw_rows(source, [place for place in worst if place[0] not in drawn_well])


def distinct(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Take the first places, each molecule once."""
    found: dict[int, int] = {}
    for row, task in places:
        if len(found) == MOST_DRAWN:
            break
        found.setdefault(row, task)
    return list(found.items())


def draw_rows(source: CardSource, places: list[tuple[int, int]]) -> list[Drawn]:
    """Draw molecules with what was measured and predicted."""
    test, found = source.shown_test, []
    try:
        svgs = [drawings.draw_svg(test.smiles[row]) for row, _ in places]
    except drawings.CannotDraw as error:
        drawings.warn_of_missing("the card has no drawings of molecules", error)
        svgs = [""] * len(places)
    for svg, (row, task) in zip(svgs, places, strict=True):
        part = next(part for part in source.by_kind if task in part.places)
        measured, predicted = format_values(part.dataset, part.predictions, row, part.places.index(task))
        name = f"{test.task_names[task]}, " if test.num_tasks > 1 else ""
        lines = [
            f"{name}{test.where(row)}",
            f"measured {measured}, predicted {predicted}",
            f"similarity {format_value(float(source.resemblance.similarity[row]))}",
        ]
        found.append(Drawn(svg, test.smiles[row], lines))
    return found
