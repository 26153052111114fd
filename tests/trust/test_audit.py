"""Audit of data: each check finds what was planted, and leaves clean data alone."""

import json

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.trust import audit
from zoo.trust.auditing import structures
from zoo.trust.auditing.units import two_groups

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1", "c1ccsc1", "C1CCOCC1"]
TAILS = ["C", "CC", "CCC", "O", "CO", "CCO", "N", "CN", "F", "C(=O)O", "N#CC", "FC(F)C"]
SMILES = [tail + ring for ring in RINGS for tail in TAILS]


def load(smiles, task="regression", splits=None, **columns):
    """A data set of planted columns."""
    frame = pd.DataFrame({"smiles": smiles, **columns})
    names = [name for name in columns if name not in ("part", "standard_units")]
    return zoo.data.load(frame, tasks=names, task=task, split_column=splits)


def finding(found, name):
    """The finding of one check."""
    return next(each for each in found.findings if each.name.startswith(name))


@pytest.fixture(scope="module")
def clean():
    """Molecules with labels that have nothing wrong."""
    values = np.random.default_rng(0).normal(5, 1, len(SMILES))
    return audit(load(SMILES, y=values))


def test_clean_data_are_left_alone(clean):
    levels = {each.name: each.level for each in clean.findings}
    assert {name for name, level in levels.items() if level == "bad"} == set()
    for name in ("duplicates", "labels of y", "units of y", "salts and mixtures"):
        assert levels[name] == "good"


def test_duplicates_with_other_labels():
    smiles = [*SMILES, "C(O)C1CCCCC1", "OCC1CCCCC1", "Cc1ccccc1"]
    values = [*np.linspace(3, 8, len(SMILES)), 1.0, 9.0, 3.0]
    found = finding(audit(load(smiles, y=values)), "duplicates")
    assert (found.level, found.count) == ("bad", 1)
    assert found.table == {"repeated": 2, "copies": 2}
    assert "y 1.000" in " ".join(found.examples[0].lines)
    agreed = finding(audit(load([*SMILES, *SMILES[:3]], y=[*values[:72], *values[:3]])), "duplicates")
    assert agreed.level == "care"


def test_near_duplicates_across_parts():
    chain = ["C" * number + "c1ccccc1" for number in range(10, 30)]
    parts = ["train"] * 10 + ["valid"] * 5 + ["test"] * 5
    found = finding(audit(load(chain, y=np.linspace(0, 1, 20), part=parts, splits="part")), "near-duplicates")
    assert found.level == "bad"
    assert found.table["share"] == 1.0
    assert found.examples[0].lines[0].startswith("similarity 1.00")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_activity_cliffs(task):
    pair = ["CCCCCCCCCc1ccc(C(=O)NCCCCCCCC)cc1", "CCCCCCCCCc1ccc(C(=O)NCCCCCCCCC)cc1"]
    labels = [0.0, 1.0] if task == "classification" else [0.0, 10.0]
    rest = [float(number % 2) for number in range(len(SMILES))]
    dataset = load([*pair, *SMILES], task, y=[*labels, *rest])
    found = finding(audit(dataset), "activity cliffs")
    assert found.level == "care"
    assert {dataset.smiles[0], dataset.smiles[1]} in [set(example.smiles) for example in found.examples]


@pytest.mark.parametrize("seed", range(4))
def test_units_by_size(seed):
    generator = np.random.default_rng(seed)
    one = generator.normal(2, 1.1, 600)
    assert two_groups(one) is None
    assert two_groups(generator.uniform(0, 4, 600)) is None
    lower, upper, share = two_groups(np.where(generator.random(600) < 0.3, one - 3, one))
    assert upper - lower == pytest.approx(3, abs=0.4)
    assert share == pytest.approx(0.3, abs=0.12)


def test_units_by_copies_and_by_name():
    values = 10 ** np.random.default_rng(0).normal(2, 0.4, len(SMILES))
    copies = audit(load([*SMILES, SMILES[0]], y=[*values, values[0] / 1000]))
    assert finding(copies, "units").text == "1 molecules have labels that differ by a factor of 1000."
    named = audit(load(SMILES, y=values, standard_units=["nM"] * 40 + ["uM"] * 32))
    assert "nM 40, uM 32" in finding(named, "units").text


@pytest.mark.parametrize(
    ("labels", "task", "level", "words"),
    [
        ([1.0] * 71 + [0.0], "classification", "care", "A class is rare"),
        ([5.0] * 72, "regression", "bad", "All labels are 5"),
        ([*np.linspace(1, 2, 71), 900.0], "regression", "care", "lie more than 8 deviations"),
        ([10.0] * 30 + [*np.linspace(1, 9, 42)], "regression", "care", "a limit of the measurement"),
        ([1.0, 2.0] + [np.nan] * 70, "regression", "bad", "too few to learn from"),
    ],
)
def test_labels(labels, task, level, words):
    found = finding(audit(load(SMILES, task, y=labels)), "labels of y")
    assert found.level == level
    assert words in found.text


def test_salts_and_alerts():
    odd = ["CCO.Cl", "[Na+].[O-]C(=O)C", "O", "C[Hg]C", "[13CH4]", "C[CH2]"]
    found = audit(load([*SMILES, *odd], y=np.arange(len(SMILES) + 6.0)))
    composition = finding(found, "salts")
    assert composition.count == 6
    assert composition.table == {"salt or mixture": 2, "metal or rare element": 2, "without carbon": 1, "isotope": 1,
                                 "radical": 1}  # fmt: skip
    rhodanine = "O=C1NC(=S)SC1=Cc1ccccc1"
    alerts = finding(audit(load([*SMILES, rhodanine], y=np.arange(len(SMILES) + 1.0))), "structural alerts")
    assert any(name.startswith("PAINS: ene rhod") for name in alerts.table)


def test_large_sets_are_sampled_and_say_so(monkeypatch):
    monkeypatch.setattr(structures, "MOST_ALERTED", 10)
    monkeypatch.setattr(structures, "MOST_QUERIES", 5)
    found = audit(load(SMILES, y=np.arange(72.0)))
    assert finding(found, "structural alerts").examined == "10 molecules drawn from 72"
    assert finding(found, "activity cliffs").examined.startswith("5 molecules drawn from 72")


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    hostile = "<script>alert(1)</script>"
    frame = pd.DataFrame({"smiles": [*SMILES, SMILES[0]], hostile: [*np.arange(72.0), 50.0]})
    frame.to_csv("my.csv", index=False)
    main(["data", "audit", "my.csv"])
    printed = capsys.readouterr().out
    assert "BAD   duplicates: 1 molecules occur more than once" in printed
    page = (tmp_path / "my.audit.html").read_text()
    assert "<script>" not in page
    assert page.count("<svg") >= 1
    main(["data", "audit", "my.csv", "--json", "--output", "found.json"])
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "found.json").read_text())
    for words, expected in ((["--output", "a.pdf"], ".html or .json"), (["--split", "magic"], "magic")):
        with pytest.raises(SystemExit) as stop:
            main(["data", "audit", "my.csv", *words])
        error = capsys.readouterr().err
        assert stop.value.code == 2
        assert expected in error
        assert error.count("\n") == 1
