"""Columns that nobody named as tasks: what is taken, what is refused, and that both are said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from zoo.data import check, load

SMILES = [f"{'C' * (1 + i % 7)}{tail}" for tail in ("O", "N", "c1ccccc1", "C(=O)O", "OC1CCNCC1") for i in range(8)]
N = len(SMILES)
LABEL = [round(0.37 * ((i * 7919) % 31) - 4, 2) for i in range(N)]
MOLS = [Chem.MolFromSmiles(text) for text in SMILES]
SOME = [1 + (i * 37) % 5 for i in range(N)]
ODD = [round(1.5 + (i * 41) % 17 / 3, 2) for i in range(N)]


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({"smiles": SMILES, **columns})


IDENTIFIERS = {
    "Batch": SOME,
    "batch_no": SOME,
    "LotNumber": SOME,
    "PlateID": SOME,
    "n_replicates": SOME,
    "plate": SOME,
    "plate_row": SOME,
    "CASRN": [f"{50 + i}-00-{i % 10}" for i in range(N)],
    "measured on": [f"2021-03-{1 + i % 28:02}" for i in range(N)],
    "spot": [f"{'ABCDEFGH'[i % 8]}{1 + i % 12}" for i in range(N)],
    "predicted_logS": ODD,
    "logS_pred": ODD,
    "ESOL predicted log solubility": ODD,
    "published_year": [1990 + i % 20 for i in range(N)],
}
OTHERS = {
    "MW": ODD,
    "weight": ODD,
    "mol_weight": ODD,
    "Molecular Weight": ODD,
    "Number of H-Bond Donors": SOME,
    "AlogP": ODD,
    "TPSA": ODD,
    "NumRotatableBonds": SOME,
    "fr_benzene": SOME,
    "BCUT2D_MWHI": ODD,
    "ATS4dv": ODD,
    "morgan_17": [i % 2 for i in range(N)],
    "T": ODD,
    "T (K)": ODD,
    "temperature_C": ODD,
    "assay pH": ODD,
    "stock conc (mM)": ODD,
    "purity_percent": ODD,
    "incubation time (h)": SOME,
    "logS_std": ODD,
    "std error": ODD,
    "calc": ODD,
    "n": SOME,
    "always": [298.15] * N,
    "counter": list(range(N)),
    "backwards": list(range(N, 0, -1)),
    "growing": [i * i for i in range(N)],
    "code": [100_000 + (i * 7919) % 99_991 for i in range(N)],
    "since": [1990 + (i * 7) % 20 for i in range(N)],
    "day": [20200101 + i % 28 for i in range(N)],
    "a": [Descriptors.MolWt(mol) for mol in MOLS],
    "b": [round(Descriptors.TPSA(mol), 2) for mol in MOLS],
    "c": [mol.GetNumHeavyAtoms() for mol in MOLS],
    "d": [str(round(Descriptors.MolLogP(mol), 3)) for mol in MOLS],
}


@pytest.mark.parametrize("name", [*IDENTIFIERS, *OTHERS])
@pytest.mark.parametrize("first", [True, False])
def test_a_column_of_another_kind_is_not_taken_beside_a_label(name, first):
    odd = {name: (IDENTIFIERS | OTHERS)[name]}
    source = frame(**odd, logS=LABEL) if first else frame(logS=LABEL, **odd)
    data = load(source)
    assert data.task_names == ("logS",)
    assert any(repr(name) in note for note in data.notes)


@pytest.mark.parametrize("name", [name for name in IDENTIFIERS if name not in ("CASRN", "measured on", "spot")])
def test_what_is_surely_no_label_is_not_taken_alone(name):
    data = load(frame(**{name: IDENTIFIERS[name]}))
    assert data.task == "unlabelled"
    assert any("tasks=" in note for note in data.notes)
    assert load(frame(**{name: IDENTIFIERS[name]}), tasks=name, task="regression").task_names == (name,)


@pytest.mark.parametrize("name", ["CASRN", "measured on", "spot"])
def test_texts_of_another_kind_are_no_labels_with_mistakes(name):
    assert load(frame(**{name: IDENTIFIERS[name]})).task == "unlabelled"


@pytest.mark.parametrize("name", ["MW", "AlogP", "T", "n", "a", "growing"])
def test_the_only_candidate_is_taken_and_questioned(name):
    data = load(frame(**{name: OTHERS[name]}), task="regression")
    assert data.task_names == (name,)
    assert name in ("a",) or any("for want of another column" in note for note in data.notes)


def test_several_doubtful_ones_are_refused():
    report = check(frame(temperature=ODD, weight=LABEL))
    assert report.task == "unlabelled"
    assert any("'temperature'" in text and "'weight'" in text and "name tasks=" in text for text in report.problems)


def test_descriptors_are_taken_and_questioned_where_there_is_nothing_else():
    """Tables of computed properties are used to try things out."""
    report = check(frame(T=SOME, logp=ODD, tpsa=LABEL))
    assert list(report.tasks) == ["logp", "tpsa"]
    assert any("for want of another column: 'logp' (a descriptor" in problem for problem in report.problems)
    assert any("not taken as tasks: 'T'" in problem for problem in report.problems)


def test_the_check_names_doubts_as_problems():
    report = check(frame(Batch=SOME, MW=ODD, logS=LABEL))
    assert report.columns["logS"] == "task"
    assert report.columns["Batch"] == report.columns["MW"] == "not used"
    assert any("'Batch' (an identifier" in problem and "'MW' (a descriptor" in problem for problem in report.problems)
    assert not any("Batch" in problem for problem in check(frame(Batch=SOME, logS=LABEL), tasks="logS").problems)


def test_several_labels_are_taken_and_named():
    report = check(frame(logS=LABEL, pIC50=ODD))
    assert list(report.tasks) == ["logS", "pIC50"]
    assert any("2 columns are taken as tasks" in problem and "tasks=" in problem for problem in report.problems)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "logS",
            "pIC50",
            "IC50_nM",
            "Ki",
            "logD7.4",
            "solubility (mg/L)",
            "NR-AR",
            "SR-p53",
            "p_np",
            "CT_TOX",
            "activity",
        ),
        *(
            "melting temperature",
            "boiling_point",
            "retention time",
            "half-life (h)",
            "clearance",
            "T_half",
            "logK",
            "exp",
        ),
        *(
            "HIV_active",
            "u0_atom",
            "measured log solubility in mols per litre",
            "Class",
            "potency",
            "E1-CC2",
            "mu",
            "gap",
        ),
        *("alpha", "zpve", "cv", "expt", "toxicity", "NOAEL", "y", "target", "label", "value", "permeability_pampa"),
    ],
)
def test_labels_are_not_doubted_by_their_names(name):
    from zoo.data.labels.doubts import doubt_name

    assert doubt_name(name) is None


def test_a_published_table_under_another_name():
    """The columns of Delaney's table: only the measured one is a label."""
    names = {
        "Compound ID": [f"m{i}" for i in range(N)],
        "ESOL predicted log solubility in mols per litre": ODD,
        "Minimum Degree": SOME,
        "Molecular Weight": [Descriptors.MolWt(mol) for mol in MOLS],
        "Number of H-Bond Donors": SOME,
        "Number of Rings": SOME,
        "Number of Rotatable Bonds": SOME,
        "Polar Surface Area": ODD,
        "measured log solubility in mols per litre": LABEL,
    }
    assert load(frame(**names)).task_names == ("measured log solubility in mols per litre",)


def test_own_predictions_are_not_learned(write):
    rows = [f"{text},{label},{np.float32(label) + 0.1}" for text, label in zip(SMILES, LABEL, strict=True)]
    path = write("own.csv", "smiles,logS,predicted_logS\n" + "\n".join(rows))
    data = load(path)
    assert data.task_names == ("logS",)
    assert data.extras.columns.tolist() == ["predicted_logS"]
