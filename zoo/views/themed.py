"""Figures as SVG that follow the light or dark scheme of whoever looks at them."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK = "#102030"
FONTS = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'
STYLE = (
    "<style>svg{color:#1f2933}@media (prefers-color-scheme: dark){svg{color:#d5dce4}}"
    f"text{{font-family:{FONTS} !important}}</style>"
)
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "molzoo",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
    ),
}


def to_themed_svg(figure: Figure) -> str:
    """The figure as SVG text without a background, its ink in the reader's colour scheme."""
    buffer = io.StringIO()
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().replace(INK, "currentColor")
    text = text[text.index("<svg") :]
    return re.sub(r"(<svg[^>]*>)", lambda found: found[1] + STYLE, text, count=1)
