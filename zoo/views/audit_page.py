"""The page of an audit of data."""

from __future__ import annotations

import base64
import html
from typing import Any, Protocol

import matplotlib
import numpy as np

from zoo.views.attribution_drawings import STYLE as GALLERY
from zoo.views.drawings import draw_svg
from zoo.views.plots import new_panels, plain
from zoo.views.themed import SETTINGS, to_themed_svg

BAR = "#3d86c6"
STYLE = """
.molzoo-audit{--ink:#1f2933;--soft:#5b6875;--card:#f6f8fa;--good:#1f7a4d;--care:#a86400;--bad:#b4233c;
font:16px/1.55 system-ui,sans-serif;color:var(--ink)}
@media(prefers-color-scheme:dark){.molzoo-audit{--ink:#d5dce4;--soft:#93a1b0;--card:#1a2129;--good:#5fcf97;
--care:#f0b357;--bad:#ff8293}}
.molzoo-audit section{background:var(--card);border-left:4px solid var(--soft);border-radius:0 8px 8px 0;
padding:.7rem 1rem;margin:.8rem 0;overflow-wrap:anywhere}
.molzoo-audit .good{border-color:var(--good)}.molzoo-audit .care{border-color:var(--care)}
.molzoo-audit .bad{border-color:var(--bad)}
.molzoo-audit h3{margin:0 0 .3rem;font-size:1.05rem}.molzoo-audit p{margin:.2rem 0;max-width:60rem}
.molzoo-audit .soft{color:var(--soft);font-size:.88rem}.molzoo-audit img{max-width:100%;height:auto}
.molzoo-audit .molzoo-gallery figure{width:280px}
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}: audit</title><style>
body{{margin:0 auto;max-width:72rem;padding:2rem 1rem}}
@media(prefers-color-scheme:dark){{body{{background:#12171d}}}}</style></head><body>{body}</body></html>
"""


class Audited(Protocol):
    """Protocol of what is shown; `zoo.trust.Audit` follows it."""

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def molecules(self) -> int:
        """Number of molecules."""

    @property
    def unreadable(self) -> int:
        """Number of rows that cannot be read."""

    @property
    def findings(self) -> tuple[Any, ...]:
        """Findings, the gravest first."""

    @property
    def histograms(self) -> dict[str, np.ndarray]:
        """Labels of each task (n,)."""


def write_page(audit: Audited, page: bool = True) -> str:
    """Return the audit as a page, or as a part of one, that needs no other file."""
    heading = f"{audit.molecules:,} molecules; {audit.unreadable:,} rows cannot be read"
    body = [f"<h1>{html.escape(audit.name)}</h1><p class='soft'>{html.escape(heading)}</p>"]
    body += [write_finding(finding) for finding in audit.findings]
    if audit.histograms:
        body.append(f"<h2>Labels</h2><img alt='Distributions of the labels' src='{draw_labels(audit.histograms)}'>")
    text = f"<div class='molzoo-audit'><style>{GALLERY}{STYLE}</style>{''.join(body)}</div>"
    return PAGE.format(title=html.escape(audit.name), body=text) if page else text


def write_finding(finding: Any) -> str:
    """Return one finding with its examples."""
    lines = [f"<h3>{html.escape(finding.name)}</h3><p>{html.escape(finding.text)}</p>"]
    if finding.remedy and finding.level != "good":
        lines.append(f"<p>{html.escape(finding.remedy)}</p>")
    if finding.table:
        shown = ", ".join(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
                          for name, value in finding.table.items())  # fmt: skip
        lines.append(f"<p class='soft'>{html.escape(shown)}</p>")
    lines.append(f"<p class='soft'>looked at {html.escape(finding.examined)}</p>")
    if finding.examples:
        lines.append(f"<div class='molzoo-gallery'>{''.join(map(write_example, finding.examples))}</div>")
    return f"<section class='{html.escape(finding.level)}'>{''.join(lines)}</section>"


def write_example(example: Any) -> str:
    """Return the drawings of an example."""
    drawings = "".join(draw_svg(smiles) for smiles in example.smiles)
    lines = "<br>".join(map(html.escape, [*example.lines, *(smiles[:120] for smiles in example.smiles)]))
    return f"<figure>{drawings}<figcaption>{lines}</figcaption></figure>"


def draw_labels(histograms: dict[str, np.ndarray]) -> str:
    """Draw the distribution of the labels of each task, as an address that holds the picture."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_panels(len(histograms), side=2.8)
        for panel, (name, values) in zip(axes, histograms.items(), strict=True):
            different = np.unique(values)
            if len(different) <= 10:
                panel.bar(
                    [f"{value:g}" for value in different], [(values == each).sum() for each in different], color=BAR
                )
            else:
                panel.hist(values, bins=30, color=BAR)
            panel.set_title(plain(name)[:40], fontsize=9)
        text = to_themed_svg(figure)
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"
