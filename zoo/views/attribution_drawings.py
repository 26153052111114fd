"""Drawings of the contributions of atoms, and pages of them."""

from __future__ import annotations

import base64
import html
from typing import Any

import numpy as np
from rdkit import Chem

from zoo.views.drawings import MOST_ATOMS, inline_svg, load_drawing

SIDE = 360
COLORS = [(0.82, 0.29, 0.36), (1.0, 1.0, 1.0), (0.22, 0.6, 0.4)]
"""Red of the atoms that lower a prediction, green of those that raise it; white between."""

STYLE = """
.molzoo-gallery{display:flex;flex-wrap:wrap;gap:12px;margin:8px 0}
.molzoo-gallery figure{margin:0;width:360px;max-width:100%;border:1px solid #d8dee6;border-radius:8px;
background:#fff;color:#1c2733;overflow:hidden}
.molzoo-gallery svg,.molzoo-gallery img{display:block;width:100%;height:auto;background:#fff}
.molzoo-gallery figcaption{padding:8px 12px;font:13px/1.45 system-ui,sans-serif;overflow-wrap:anywhere;
border-top:1px solid #d8dee6}
.molzoo-gallery code{font-size:12px}.molzoo-gallery .none{padding:24px;color:#6b7785}
"""
NO_PICTURE = "<p class='none'>no explanation</p>"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>body{{margin:0 auto;max-width:1160px;padding:16px;font:15px/1.5 system-ui,sans-serif;
background:#f6f8fa;color:#1c2733}}@media(prefers-color-scheme:dark){{body{{background:#14191f;color:#dfe6ee}}}}
{style}</style></head><body>{body}</body></html>
"""


def draw_contributions(mol: Chem.Mol, weights: np.ndarray, form: str = "svg") -> bytes:
    """Draw a molecule over a map of its atoms' contributions.

    Args:
        mol: With N atoms.
        weights: Contribution of each atom (N,).
        form: "svg" or "png".
    """
    drawing = load_drawing()
    from rdkit.Chem.Draw import SimilarityMaps  # reads the same libraries of the system

    drawer = (drawing.MolDraw2DSVG if form == "svg" else drawing.MolDraw2DCairo)(SIDE, SIDE * 3 // 4)
    options: Any = drawer.drawOptions()
    options.padding = 0.1
    shown = Chem.Mol() if mol.GetNumAtoms() > MOST_ATOMS else drawing.PrepareMolForDrawing(mol, kekulize=False)
    finite = np.zeros(max(shown.GetNumAtoms(), len(weights)))  # the drawing may have hydrogens at stereocentres
    finite[: len(weights)] = np.nan_to_num(weights, nan=0.0, posinf=0.0, neginf=0.0)
    if shown.GetNumAtoms() > 1 and np.abs(finite).max() > 0:
        SimilarityMaps.GetSimilarityMapFromWeights(shown, finite.tolist(), drawer, colorMap=COLORS, contourLines=6)
    else:
        drawer.DrawMolecule(shown)
    drawer.FinishDrawing()
    text: Any = drawer.GetDrawingText()
    found: bytes = inline_svg(text).encode() if form == "svg" else text
    return found


def inline_png(picture: bytes) -> str:
    """Return a picture as HTML that needs no other file."""
    return f"<img alt='contributions of the atoms' src='data:image/png;base64,{base64.b64encode(picture).decode()}'>"


def gallery(cells: list[str], heading: str, page: bool) -> str:
    """Return figures side by side under a heading, as a page or a part of one.

    Args:
        cells: HTML of each.
        heading: Text.
        page: Make it a page that needs no other file.
    """
    body = f"<p>{html.escape(heading)}</p><div class='molzoo-gallery'>{''.join(cells)}</div>"
    if page:
        return PAGE.format(title="Explanations", style=STYLE, body=body)
    return f"<style>{STYLE}</style>{body}"
