"""Drawings of molecules: many in one picture with a line of text each, and small ones for TensorBoard's projector."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.image import imread
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from featurizers import read_molecule

CELL = (320, 260)
COLUMNS = 3
MOST_ATOMS = 300
"""Atoms up to which finding places on paper takes about a second."""


def draw_grid(smiles: Sequence[str], legends: Sequence[str], columns: int = COLUMNS) -> np.ndarray:
    r"""Molecules side by side, each above its legend.

    Args:
        smiles: Readable ones (n).
        legends: One for each; "\n" breaks the line.
        columns: Molecules in a row.

    Returns:
        (height, width, 3) in [0, 1].

    Example:
        >>> draw_grid(["CCO", "c1ccccc1"], ["ethanol", "benzene"]).shape
        (260, 640, 3)
    """
    columns = min(columns, len(smiles))
    rows = -(-len(smiles) // columns)
    drawer = rdMolDraw2D.MolDraw2DCairo(CELL[0] * columns, CELL[1] * rows, *CELL)
    options: Any = drawer.drawOptions()
    options.legendFontSize, options.legendFraction, options.padding = 20, 0.2, 0.08
    drawer.DrawMolecules([prepare_molecule(each) for each in smiles], legends=list(legends))
    return picture(drawer)


def draw_svg(smiles: str, width: int = 280, height: int = 200) -> str:
    """Draw a readable molecule as SVG text for pages, which scales with its frame."""
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    options: Any = drawer.drawOptions()
    options.padding = 0.08
    drawer.DrawMolecule(prepare_molecule(smiles))
    drawer.FinishDrawing()
    return inline_svg(drawer.GetDrawingText())


def inline_svg(svg: str) -> str:
    """Return an SVG as pages hold it, without XML header and units."""
    body = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", svg, flags=re.DOTALL)
    return re.sub(r"width='(\d+)px' height='(\d+)px'", r"width='\1' height='\2'", body, count=1).strip()


def draw_sprites(smiles: Sequence[str], size: int = 64) -> np.ndarray:
    """Small square drawings.

    Args:
        smiles: Readable ones (n).
        size: Pixels of a side.

    Returns:
        (n, 3, size, size) in [0, 1].
    """
    sprites = []
    for each in smiles:
        drawer = rdMolDraw2D.MolDraw2DCairo(size, size)
        options: Any = drawer.drawOptions()
        options.padding = 0.04
        drawer.DrawMolecule(prepare_molecule(each))
        sprites.append(picture(drawer).transpose(2, 0, 1))
    return np.stack(sprites)


def prepare_molecule(smiles: str) -> Chem.Mol:
    """Return the molecule with coordinates; an empty one in place of what is too large for a picture."""
    mol = read_molecule(smiles)
    if mol.GetNumAtoms() > MOST_ATOMS:
        return Chem.Mol()
    return rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=False)


def picture(drawer: rdMolDraw2D.MolDraw2DCairo) -> np.ndarray:
    """Return the drawing as an array (height, width, 3) in [0, 1]."""
    drawer.FinishDrawing()
    return imread(io.BytesIO(drawer.GetDrawingText()), format="png")[..., :3]
