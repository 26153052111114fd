"""`Explanation` and `Explanations`: contributions of atoms and bonds, which show, print and write themselves."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem

from zoo.data.errors import DataError
from zoo.runs.json_files import plain, write_text
from zoo.tasks import format_value
from zoo.trust.attribution.attribution import Attribution
from zoo.views import attribution_drawings as drawings

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 50
PICTURES = ("png", "svg")


@dataclass(frozen=True)
class Explanation:
    """Explanation of the prediction of one molecule for one task.

    Args:
        smiles: The molecule as it was given.
        task: Name of the task.
        class_name: Class whose probability is explained; empty for other kinds of target.
        method: Name of the method.
        unit: "logit" (before the sigmoid), "probability" or "value"; contributions have it.
        prediction: Prediction of the model, a probability or a value; NaN where there is none.
        score: The prediction in `unit`.
        found: Contributions of atoms and bonds; `None` where there are none.
        mol: The molecule whose atoms these are.
        bond_ends: Atoms of each bond (M, 2).
        reason: Why there is no explanation; empty where there is one.
    """

    smiles: str
    task: str
    class_name: str
    method: str
    unit: str = ""
    prediction: float = np.nan
    score: float = np.nan
    found: Attribution | None = None
    mol: Chem.Mol | None = None
    bond_ends: np.ndarray | None = None
    reason: str = ""

    @property
    def atoms(self) -> np.ndarray:
        """Contributions of the atoms (N,); empty where there is no explanation."""
        return np.empty(0) if self.found is None else self.found.atoms

    @property
    def bonds(self) -> np.ndarray:
        """Contributions of the bonds (M,)."""
        return np.empty(0) if self.found is None else self.found.bonds

    @property
    def shown_atoms(self) -> np.ndarray:
        """Contributions of the atoms with half of each of their bonds' (N,), as pictures show them."""
        weights = self.atoms.copy()
        if self.bond_ends is not None:
            np.add.at(weights, self.bond_ends.reshape(-1), np.repeat(self.bonds / 2, 2))
        return weights

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        facts = {"smiles": self.smiles, "task": self.task, "class": self.class_name or None, "method": self.method}
        if self.found is None or self.mol is None or self.bond_ends is None:
            return {**facts, "reason": self.reason}
        symbols = [atom.GetSymbol() for atom in self.mol.GetAtoms()]
        numbers = {
            "unit": self.unit,
            "prediction": self.prediction,
            "score": self.score,
            "baseline": self.found.baseline,
            "sum": self.found.total,
            "complete": self.found.complete,
            "atoms": [
                {"atom": number, "symbol": symbol, "contribution": value}
                for number, (symbol, value) in enumerate(zip(symbols, self.atoms, strict=True))
            ],
            "bonds": [
                {"atoms": ends, "contribution": value} for ends, value in zip(self.bond_ends, self.bonds, strict=True)
            ],
            "fragments": [
                {"atoms": atoms, "contribution": value}
                for atoms, value in zip(self.found.fragments, self.found.fragment_values, strict=True)
            ],
        }
        found: dict[str, Any] = plain({**facts, **numbers})
        return found

    def draw(self, form: str = "png") -> bytes:
        """Draw the molecule with its contributions: green raises the prediction, red lowers it.

        Args:
            form: "png", or "svg", which is a hundred times as large: its map consists of paths.

        Raises:
            ValueError: Another form, or there is no explanation.
        """
        if form not in PICTURES:
            raise ValueError(f"form={form!r}: choose 'svg' or 'png'")
        if self.mol is None:
            raise ValueError(f"{self.smiles!r} has no explanation: {self.reason}")
        return drawings.draw_contributions(self.mol, self.shown_atoms, form)

    @property
    def caption(self) -> str:
        """Prediction and sum of the contributions in a line."""
        if self.found is None:
            return self.reason
        of_class = f" ({self.class_name})" if self.class_name else ""
        numbers = f"{self.unit} {format_value(self.score)}, {format_value(self.found.baseline)} without any atom"
        return f"{self.task}{of_class}: predicted {format_value(self.prediction)}; {numbers}"

    def _repr_html_(self) -> str:
        return Explanations((self,)).to_html(page=False)


@dataclass(frozen=True)
class Explanations(Sequence[Explanation]):
    """Explanations of some molecules, in their order.

    Args:
        items: One for each molecule.

    Example:
        >>> import zoo
        >>> found = zoo.build("gcn").explain(["CCO"])
        >>> found[0].atoms.shape
        (3,)
    """

    items: tuple[Explanation, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Any) -> Any:
        return Explanations(self.items[place]) if isinstance(place, slice) else self.items[place]

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.items)

    def __repr__(self) -> str:
        failed = sum(bool(each.reason) for each in self)
        return f"Explanations({len(self)} molecules, {failed} without an explanation)"

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each atom: `molecule`, `smiles`, `atom`, `symbol`, `contribution`."""
        import pandas as pd

        rows = [
            (number, each.smiles, atom, each.mol.GetAtomWithIdx(atom).GetSymbol(), value)
            for number, each in enumerate(self)
            if each.mol is not None
            for atom, value in enumerate(each.atoms.tolist())
        ]
        return pd.DataFrame(rows, columns=["molecule", "smiles", "atom", "symbol", "contribution"])

    def to_json(self) -> str:
        """Return JSON text: a list with an object for each molecule."""
        return json.dumps([each.to_dict() for each in self], indent=1, allow_nan=False)

    def to_html(self, page: bool = True) -> str:
        """Return a page, or the part of one, that needs no other file."""
        cells = []
        for each in self:
            picture = drawings.inline_png(each.draw("png")) if each.mol is not None else drawings.NO_PICTURE
            cells.append(
                f"<figure>{picture}<figcaption><code>{html.escape(each.smiles)}</code>"
                f"<br>{html.escape(each.caption)}</figcaption></figure>"
            )
        return drawings.gallery(cells, self.heading, page)

    @property
    def heading(self) -> str:
        """Line above the drawings."""
        method = self[0].method.replace("_", " ") if len(self) else "nothing to explain"
        return f"{method}: green atoms raise the prediction, red ones lower it (each molecule has a scale of its own)"

    def _repr_html_(self) -> str:
        return self[:MOST_SHOWN].to_html(page=False)

    def save(self, output: str | Path, picture: str = "png") -> Path:
        """Write everything.

        Args:
            output: `.html`, `.json` or `.csv` (a row for each atom) by its suffix; a folder of pictures without any.
            picture: "svg" or "png", for a folder.

        Raises:
            DataError: Another suffix, or the place is taken by something else.
        """
        output = Path(output).expanduser()
        writers = {".html": self.to_html, ".json": self.to_json, ".csv": lambda: self.to_frame().to_csv(index=False)}
        if output.suffix.lower() in writers:
            write_text(output, writers[output.suffix.lower()]())
            return output
        if output.suffix:
            raise DataError(f"{output}: name a file .html, .json or .csv, or a folder (for pictures)")
        if picture not in PICTURES:
            raise DataError(f"pictures={picture!r}: choose 'svg' or 'png'")
        if output.exists() and not output.is_dir():
            raise DataError(f"{output} is a file: name a folder for the pictures")
        output.mkdir(parents=True, exist_ok=True)
        width = len(str(len(self)))
        for number, each in enumerate(self, start=1):
            if each.mol is not None:
                (output / f"{number:0{width}d}.{picture}").write_bytes(each.draw(picture))
        write_text(output / "contributions.json", self.to_json())
        return output
