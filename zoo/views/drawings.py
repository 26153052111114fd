"""Drawings of molecules: many in one picture with a line of text each, and small ones for TensorBoard's projector."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from matplotlib.image import imread
from rdkit import Chem

from featurizers import read_molecule

CELL = (320, 260)
COLUMNS = 3
MOST_ATOMS = 300
"""Atoms up to which finding places on paper takes about a second."""


class CannotDraw(ImportError):
    """Raised where RDKit finds no libraries of the system to draw with, as in slim images."""


@cache
def load_drawing() -> ModuleType:
    """Return RDKit's module that draws.

    Raises:
        CannotDraw: A library of the system is missing.
    """
    try:
        from rdkit.Chem.Draw import rdMolDraw2D
    except ImportError as error:
        raise CannotDraw(
            f"RDKit cannot draw molecules here ({error}): install the system's packages libxrender1 and libxext6"
        ) from error
    return rdMolDraw2D


def warn_of_missing(drawn: str, error: CannotDraw) -> None:
    """Warn of what goes without its drawings; no training is lost for them."""
    warnings.warn(f"{drawn}: {error}", stacklevel=3)


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
    drawer = load_drawing().MolDraw2DCairo(CELL[0] * columns, CELL[1] * rows, *CELL)
    options: Any = drawer.drawOptions()
    options.legendFontSize, options.legendFraction, options.padding = 20, 0.2, 0.08
    drawer.DrawMolecules([prepare_molecule(each) for each in smiles], legends=list(legends))
    return picture(drawer)


def draw_svg(smiles: str, width: int = 280, height: int = 200) -> str:
    """Draw a readable molecule as SVG text for pages, which scales with its frame."""
    drawer = load_drawing().MolDraw2DSVG(width, height)
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
        drawer = load_drawing().MolDraw2DCairo(size, size)
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
    return load_drawing().PrepareMolForDrawing(mol, kekulize=False)


def picture(drawer: Any) -> np.ndarray:
    """Return the drawing as an array (height, width, 3) in [0, 1]."""
    drawer.FinishDrawing()
    return imread(io.BytesIO(drawer.GetDrawingText()), format="png")[..., :3]
