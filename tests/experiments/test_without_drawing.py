"""Where a library of the system is missing, RDKit cannot draw: runs and their cards are written all the same."""

from __future__ import annotations

import sys

import pytest

import zoo
from zoo.commands.main import main
from zoo.views import drawings


@pytest.fixture
def cannot_draw(monkeypatch):
    """An environment whose RDKit fails to load what draws, as in a slim image without libXrender."""
    monkeypatch.setitem(sys.modules, "rdkit.Chem.Draw", None)
    monkeypatch.setitem(sys.modules, "rdkit.Chem.Draw.rdMolDraw2D", None)
    drawings.load_drawing.cache_clear()
    yield
    drawings.load_drawing.cache_clear()


def test_training_ends_with_a_card_that_has_no_drawings(cannot_draw, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    smiles = zoo.data.load("b3db").smiles[:60]
    (tmp_path / "few.csv").write_text("smiles,size\n" + "\n".join(f"{each},{len(each)}" for each in smiles))
    main(["train", "--data", "few.csv", "--model", "gcn", "--epochs", "1", "--output", "run"])
    assert "libxrender1" in capsys.readouterr().err
    assert "measured" in (tmp_path / "run" / "card.html").read_text()
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_drawing_says_what_to_install(cannot_draw):
    with pytest.raises(drawings.CannotDraw, match="libxext6"):
        drawings.draw_svg("CCO")
