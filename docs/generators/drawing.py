"""Drawings of architectures: rows of boxes from top to bottom, as SVG in the colours of the page."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from html import escape

from generators.architectures import ARCHITECTURES, Box, Rows
from generators.tracing import Trace
from generators.transformers import TRANSFORMERS

WIDE, NARROW = 560, 350
GAP, ARROW = 12, 22
LINE, TOP = 15, 17
LETTERS = {"title": 7.8, "note": 6.3, "sizes": 6.3}
"""Widths of letters."""
INPUTS = ("@atoms", "@bonds", "@pairs")
KNOWN = {**ARCHITECTURES, **TRANSFORMERS}


@dataclass
class Canvas:
    """What has been drawn, and how far down.

    Args:
        width: Of the drawing.
        arrow: Name of the head of its arrows.
        y: Where the next row begins.
        bottom: Where the last one ended.
        parts: Elements of SVG.
        ends: Middle of each box of the row above, where arrows begin.
    """

    width: int
    arrow: str
    y: float = 6
    bottom: float = 6
    parts: list[str] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def draw_architecture(trace: Trace, title: str) -> str:
    """Return the drawings of a model, for wide and for narrow pages.

    Args:
        trace: Its sizes.
        title: For readers who do not see it.
    """
    drawings = [draw(trace, title, width, kind) for width, kind in ((WIDE, "wide"), (NARROW, "narrow"))]
    return f'<figure class="architecture">{"".join(drawings)}</figure>'


def draw(trace: Trace, title: str, width: int, kind: str) -> str:
    """Return a drawing of a model."""
    canvas, frames = Canvas(width, f"arrow-{kind}"), []
    first, *others = KNOWN.get(trace.cls) or outline(trace)
    for row in ["layers Featurizer: {featurizer}", first, "end", *others]:
        if row == "end":
            draw_frame(canvas, *frames.pop())
        elif isinstance(row, str):
            frames.append((fill(row.removeprefix("layers "), trace), canvas.y))
            canvas.y += 24
        else:
            draw_row(canvas, [Box(*parts) for parts in row], trace)
    body = "\n".join(canvas.parts)
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {canvas.bottom + 8:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>\n{MARKER.format(name=canvas.arrow)}\n{body}\n</svg>'
    )


MARKER = (
    '<defs><marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>'
)


def outline(trace: Trace) -> Rows:
    """Return rows for a model without a description: its input, its large parts, and the scores."""
    parts = [path for path in trace.weights if path and path.count(".") == 0]
    return [[("Atoms", "", "@atoms"), ("Bonds", "", "@bonds")],
            *[[(path.capitalize(), "", path)] for path in parts], [("Scores", "", "@scores")]]  # fmt: skip


def draw_row(canvas: Canvas, row: list[Box], trace: Trace) -> None:
    """Draw boxes next to each other, with arrows from the row above."""
    width = (canvas.width - 4 * GAP - GAP * (len(row) - 1)) / len(row)
    texts = [describe(box, trace, width) for box in row]
    height = TOP + LINE * max(map(len, texts))
    top = canvas.y
    middles = [2 * GAP + width / 2 + number * (width + GAP) for number in range(len(row))]
    for x1, x2 in join(canvas.ends, middles, row):
        line = f"M{x1:.0f} {canvas.bottom:.0f} {x2:.0f} {top:.0f}"
        canvas.parts.append(f'<path class="arrow" marker-end="url(#{canvas.arrow})" d="{line}"/>')
    for middle, box, lines in zip(middles, row, texts, strict=True):
        kind = "input" if box.module in INPUTS else "output" if box.module == "@scores" else "step"
        canvas.parts.append(
            f'<rect class="{kind}" x="{middle - width / 2:.0f}" y="{top:.0f}" width="{width:.0f}" '
            f'height="{height}" rx="5"/>'
        )
        for number, (style, text) in enumerate(lines):
            y = top + TOP + LINE * number
            canvas.parts.append(f'<text class="{style}" x="{middle:.0f}" y="{y:.0f}">{escape(text)}</text>')
    canvas.bottom, canvas.ends = top + height, middles
    canvas.y = canvas.bottom + ARROW


def join(above: list[float], below: list[float], row: list[Box]) -> list[tuple[float, float]]:
    """Return the ends of the arrows between two rows: to what a box reads, straight down, or to the nearest."""
    if not above or any(box.reads for box in row):
        return [(above[position], x) for x, box in zip(below, row, strict=True) for position in box.reads]
    if len(above) == len(below):
        return list(zip(above, below, strict=True))
    many, few = (above, below) if len(above) > len(below) else (below, above)
    nearest = [(x, min(few, key=lambda y: abs(x - y))) for x in many]
    return [pair if many is above else pair[::-1] for pair in nearest]


def describe(box: Box, trace: Trace, width: float) -> list[tuple[str, str]]:
    """Return the lines of a box, each with its style: title, note, sizes."""
    paths = box.module.split("+")
    shape = next((trace.shapes[path] for path in reversed(paths) if path in trace.shapes), "")
    weights = sum(trace.weights.get(path.removeprefix("~"), 0) for path in paths)
    sizes = list(filter(None, [shape, f"{weights:,} weights" if weights else ""]))
    joined = " · ".join(sizes)
    rows = [joined] if len(joined) * LETTERS["sizes"] < width - 8 else sizes
    texts = {"title": [fill(box.title, trace)], "note": [fill(box.note, trace)], "sizes": rows}
    return [
        (style, line)
        for style, pieces in texts.items()
        for piece in pieces
        for line in textwrap.wrap(piece, int((width - 8) / LETTERS[style]))
    ]


def fill(text: str, trace: Trace) -> str:
    """Return a text with the values of options."""
    return text.format_map(trace.options)


def draw_frame(canvas: Canvas, label: str, start: float) -> None:
    """Draw the frame of a layer that is repeated."""
    canvas.bottom += 10
    canvas.y += 10
    height, width = canvas.bottom - start, canvas.width - 2 * GAP
    canvas.parts.insert(
        0,
        f'<rect class="frame" x="{GAP}" y="{start:.0f}" width="{width}" height="{height:.0f}" rx="8"/>'
        f'<text class="label" x="{2 * GAP}" y="{start + 16:.0f}">{escape(label)}</text>',
    )
