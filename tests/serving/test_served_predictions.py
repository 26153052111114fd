"""Served predictions are those of Python and of `molzoo predict`, for one client and for eight."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import zoo
from zoo.data import MoleculeRows
from zoo.inference import predict_file
from zoo.inference.job import Job, predict_rows

MOLECULES = ["CCO", "c1ccccc1O", "not one", "", "[Na+].[Cl-]", "C" * 90, "C" * 101]


@pytest.fixture(scope="module")
def learner(runs):
    return zoo.load(runs[0], device="cpu")


def ask(client, molecules, **how):
    answer = client.post("/api/predict", json={"molecules": molecules, "runs": ["alcohols"], **how})
    assert answer.status_code == 200, answer.text
    return answer.json()["runs"][0]["rows"]


def test_rows_are_those_of_the_learner_to_the_last_digit(client, learner):
    found = pd.DataFrame(ask(client, MOLECULES[:6], domain=True, neighbors=2, coverage=0.8))
    expected = learner.predictions(MOLECULES[:6], domain=True, neighbors=2, coverage=0.8).to_frame()
    assert list(found) == list(expected)
    for name in expected:
        if expected[name].dtype.kind == "f":
            np.testing.assert_array_equal(found[name].to_numpy(float), expected[name].to_numpy(float), name)
        else:
            assert found[name].tolist() == expected[name].tolist()


def test_a_molecule_that_is_too_large_is_a_row_with_its_reason(client):
    rows = ask(client, MOLECULES)
    assert [bool(row["reason"]) for row in rows] == [False, False, True, True, False, False, True]
    assert rows[-1]["predicted_logS"] is None
    assert rows[-1]["reason"] == "101 atoms, more than max_atoms=100"
    assert ask(client, ["C" * 10_000])[0]["reason"] == "10000 atoms, more than max_atoms=100"
    marked = "[13CH2:12]" * 98 + "C([H])([H])[H]"
    assert ask(client, [marked])[0]["reason"] == ""


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".smi", ".sdf"])
def test_a_file_gets_what_predict_writes(suffix, client, upload, runs, b3db, tmp_path):
    """2,100 rows are three pieces, in the batches of the command; of the SD file there are 400."""
    smiles = [*[text for text in b3db.smiles if len(text) < 90][:2099], "=bad"]
    names = [f"m{n}" for n in range(len(smiles))]
    source = tmp_path / f"library{suffix}"
    if suffix == ".sdf":
        with Chem.SDWriter(str(source)) as writer:
            for name, text in zip(names[:400], smiles, strict=False):
                mol = Chem.MolFromSmiles(text)
                mol.SetProp("_Name", name)
                writer.write(mol)
    elif suffix == ".smi":
        source.write_text("".join(f"{text} {name}\n" for text, name in zip(smiles, names, strict=True)))
    else:
        frame = pd.DataFrame({"name": names, "smiles": smiles})
        frame.to_csv(source, index=False, sep="," if suffix == ".csv" else "\t")
    job = upload(source.name, source, run="alcohols")
    assert (job["state"], job["error"]) == ("done", None)
    served = client.get(f"/api/jobs/{job['job']}/table.csv").text
    predict_file(
        runs[0], source, tmp_path / "out.csv", guard_formulas=True, num_workers=0, progress=False, device="cpu"
    )
    assert served == (tmp_path / "out.csv").read_text()


def test_eight_clients_get_what_one_gets(client, server, b3db):
    parts = [list(b3db.smiles[start : start + 40]) for start in range(0, 640, 40)]
    alone = [json.dumps(ask(client, part, domain=True)) for part in parts]

    def send(part):
        with server.client() as own:
            return json.dumps(ask(own, part, domain=True))

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, parts)) == alone


def test_several_runs_stand_side_by_side(client, upload):
    answer = client.post("/api/predict", json={"molecules": ["CCO"], "coverage": 0.8}).json()["runs"]
    assert [part["run"] for part in answer] == ["alcohols", "b-plain"]
    assert "lower_logS" in answer[0]["rows"][0]
    assert list(answer[1]["rows"][0]) == [
        "predicted_task_0",
        "predicted_task_1",
        "class_task_0",
        "class_task_1",
        "reason",
    ]
    job = upload("two.csv", b"smiles\nCCO\nbad\n", domain=True)
    header = client.get(f"/api/jobs/{job['job']}/table.csv").text.splitlines()[0]
    assert header.startswith(
        "smiles,alcohols.predicted_logS,alcohols.in_domain,alcohols.nearest_similarity,alcohols.reason,"
    )
    assert header.endswith(",b-plain.reason")
    assert job["failed"] == 1


def test_rows_of_a_job_are_sorted_and_filtered(client, upload):
    body = "smiles\n" + "\n".join(["CCC", "bad", "CCCCCC", "C", "worse"]) + "\n"
    job = upload("some.csv", body.encode(), run="alcohols")["job"]

    def rows(**values):
        return client.get(f"/api/jobs/{job}/rows", params=values).json()

    assert [row["row"] for row in rows()["rows"]] == [1, 2, 3, 4, 5]
    for descending in (False, True):
        found = rows(sort="predicted_logS", descending=descending)["rows"]
        values = [row["runs"]["alcohols"]["predicted_logS"] for row in found]
        assert values[:3] == sorted(values[:3], reverse=descending)
        assert values[3:] == [None, None]
    assert [row["molecule"] for row in rows(failed=True)["rows"]] == ["bad", "worse"]
    assert rows(offset=3, limit=1)["rows"][0]["molecule"] == "C"
    assert client.get(f"/api/jobs/{job}/rows", params={"sort": "nothing"}).status_code == 404


def test_explanations_are_those_of_the_learner(client, learner):
    found = client.post("/api/explain", json={"molecule": "c1ccccc1CO"}).json()
    expected = learner.explain(["c1ccccc1CO"])[0].to_dict()
    assert {name: found[name] for name in expected} == expected
    assert client.get("/api/structure.svg", params={"molecule": "CCO"}).text.startswith("<svg")


def test_cells_of_tables_are_no_formulas(client, upload):
    """SMILES of charged atoms and negative numbers stay what they are."""
    body = b'smiles,note,number\n[O-]CC,"=HYPERLINK(""x"")",-1.5\nCC[N+](C)C,@SUM(A1),+2\nCC,-x,\n'
    job = upload("notes.csv", body, run="alcohols")["job"]
    lines = client.get(f"/api/jobs/{job}/table.csv").text.splitlines()[1:]
    assert [line.rsplit(",", 2)[0] for line in lines] == [
        '[O-]CC,"\'=HYPERLINK(""x"")",-1.5', "CC[N+](C)C,'@SUM(A1),+2", "CC,'-x,",
    ]  # fmt: skip


def test_pieces_of_the_server_are_the_chunks_of_predict(learner, b3db):
    """The digits are equal because the batches are."""
    rows = MoleculeRows(list(b3db.smiles[:100]))
    table = predict_rows(learner, rows, Job("", "cpu", 32))
    np.testing.assert_array_equal(table["predicted_logS"], learner.predictions(rows).values[:, 0])
