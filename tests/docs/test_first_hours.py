"""What the pages quote: error messages of commands, the report of the example file; and their pictures are small."""

from __future__ import annotations

import re
import shlex

import pytest
from support.places import ROOT

import zoo
from zoo.commands import main as cli
from zoo.commands.faults import with_flags

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
FILES = {
    "nosmiles.csv": "id,y\n1,2.0\n2,3.0\n",
    "words.csv": "smiles,activity\nCCO,high\nCCN,low\nCCC,maybe\nCCCl,12\nCCBr,low\n",
    "unread.csv": "smiles,y\nXx,1\nfoo(,0\n",
    "few.csv": "smiles,y\n" + "".join(f"{'C' * n}O,{n}.5\n" for n in range(1, 5)),
    "chains.csv": "smiles,y\n" + "".join(f"{'C' * n},{n}.5\n" for n in range(1, 41)),
}
MESSAGES = [
    ("train --data nosmiles.csv", "no column looks like SMILES: name it with --smiles-column. Columns: 'id', 'y'"),
    ("train --data logbb.csv --tasks logbb", "no column 'logbb'. Did you mean 'logBB'?"),
    (
        "train --data words.csv",
        "column 'activity', line 2: 'high' is not a number: correct it, or leave the cell blank",
    ),
    ("train --data logbb.csv --task classification", "column 'logBB': -2.52 is not a class, classes are 0 and 1 ("),
    (
        "train --data unread.csv",
        "none of the 2 rows has a readable SMILES in column 'smiles' (line 2: 'Xx': not a SMILES",
    ),
    ("train --data tox99", "no data set or file 'tox99'. Did you mean 'tox21'?"),
    ("train --data few.csv", "4 different molecules are too few to split, get at least 10 (better hundreds)"),
    (
        "train --data chains.csv",
        "the 40 molecules have 1 scaffold(s), too few or too unequal to part: use --split random",
    ),
    ("train --lr 0.1", "molzoo train has no option --lr. Did you mean --optimizer-args.lr?"),
    (
        "train --data few.csv --optimizer adam --optimizer-args.rho 1",
        "optimizer 'adam' has no option 'rho'. It accepts:",
    ),
    ("train --data few.csv --metric roc_auc", "metric 'roc_auc' is not one for regression: choose one of"),
    (
        "train --data few.csv --model graphormer --featurizer canonical",
        "model 'graphormer' needs features of atom pairs, and featurizer 'canonical' has none",
    ),
    ("predict runs new.csv", "holds no checkpoint: give a folder written by Learner.save or by a training run"),
]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A current folder with the files of the examples."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("logbb.csv", "new.csv"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    (tmp_path / "runs").mkdir()


@pytest.mark.parametrize(("command", "message"), MESSAGES, ids=[command for command, _ in MESSAGES])
def test_messages_are_those_of_the_page(command, message, folder, capsys):
    assert message in (DOCS / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        cli.main(shlex.split(command))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_the_report_is_that_of_the_page():
    page = (DOCS / "first_hour_chemist.md").read_text(encoding="utf-8")
    quoted = re.search(r"```text\n(logbb: .*?)```", page, re.S)[1]
    report = with_flags(str(zoo.data.check(EXAMPLES / "logbb.csv"))).splitlines()
    assert [line for line in quoted.splitlines() if line != "..." and line not in report] == []


def test_pictures_are_small_and_shown():
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size <= 150_000, picture.name
        assert picture.name in pages, picture.name
