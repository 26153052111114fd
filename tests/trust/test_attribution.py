"""Attributions: completeness, independence of the order of atoms, closed forms, and nitrogens that must be found."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

import zoo
from zoo.commands.main import main
from zoo.data import MoleculeRows
from zoo.learners import Learner
from zoo.registry.catalog import EXPLAINERS, MODELS
from zoo.trust.attribution.coalitions import connected_parts, exact_values, sampled_values
from zoo.trust.attribution.fragments import cut_fragments
from zoo.trust.attribution.games import make_game
from zoo.trust.attribution.question import Question

LARGE = ("grover_base", "grover_large", "graphormer_base", "egt_zinc", "grit_zinc", "gps_zinc", "mat_3d")
NETWORKS = [entry.name for entry in MODELS if entry.name not in LARGE and not entry.facts.get("trains_itself")]
DRUG = "CC(=O)Nc1ccc(O)cc1"
NITROGEN = Chem.MolFromSmarts("[#7]")


def difference(explanation):
    return explanation.score - explanation.found.baseline


def small(name, **options):
    """A small model of the catalog."""
    sizes = {"grover": {"hidden_size": 16, "num_layers": 1, "num_heads": 2}}.get(name, {})
    return zoo.build(name, model_args=sizes, **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_integrated_gradients_are_complete(name):
    found = small(name).explain("CC(N)=O")[0]
    assert found.found.complete
    assert found.found.total == pytest.approx(difference(found), abs=1e-3)
    assert len(found.atoms) == 4
    assert np.abs(found.atoms).sum() > 0


@pytest.mark.parametrize("method", EXPLAINERS.names())
def test_the_order_of_atoms_does_not_matter(method):
    learner = zoo.build("gin", model_args={"hidden_size": 16})
    mol = Chem.MolFromSmiles(DRUG)
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    first = learner.explain([mol], method)[0].shown_atoms
    second = learner.explain([Chem.RenumberAtoms(mol, order)], method)[0].shown_atoms
    np.testing.assert_allclose(second, first[order], atol=2e-3 if method == "integrated_gradients" else 1e-5)


@pytest.mark.parametrize("tensors", [False, True], ids=["dgl", "tensors"])
def test_both_backends_give_the_same(tensors, monkeypatch):
    if tensors:
        monkeypatch.setattr("featurizers.batched_graph.dgl_for_graphs", lambda: None)
    learner = zoo.build("gcn", model_args={"hidden_size": 16}, seed=1)
    values = {method: learner.explain(DRUG, method)[0].atoms.tolist() for method in EXPLAINERS.names()}
    known = test_both_backends_give_the_same.__dict__.setdefault("known", values)
    for method, expected in known.items():
        np.testing.assert_allclose(values[method], expected, atol=2e-3 if method == "integrated_gradients" else 1e-5)


class Linear(torch.nn.Module):
    """Sum over atoms of a linear function of their features, and a product of the first two molecules' sums."""

    def __init__(self, num_tasks=1, atom_size=74):
        super().__init__()
        torch.manual_seed(0)
        self.head = torch.nn.Linear(atom_size, num_tasks, bias=False)

    def forward(self, graph):
        values = self.head(graph.atom_feats)
        molecules = torch.arange(len(graph)).repeat_interleave(graph.num_atoms)
        return torch.zeros(len(graph), values.shape[1]).index_add_(0, molecules, values)


def linear_learner():
    learner = zoo.assemble(zoo.Recipe("gcn", featurizer="canonical", num_tasks=1, task="regression"), model=Linear())
    assert isinstance(learner, Learner)
    return learner


@pytest.mark.parametrize("method", EXPLAINERS.names())
def test_closed_form_of_a_linear_model(method):
    learner = linear_learner()
    found = learner.explain("CCO", method)[0]
    graph = learner.featurizer("CCO")
    expected = learner.model.head(graph.atom_feats).detach().numpy()[:, 0]
    np.testing.assert_allclose(found.atoms, expected, atol=1e-5)
    assert found.unit == "value"
    assert found.score == pytest.approx(expected.sum(), abs=1e-5)


@pytest.fixture(scope="module")
def nitrogens():
    """A model trained to tell molecules with a nitrogen, and molecules that it has not seen."""
    data = zoo.data.load("b3db").subset(range(0, 7800, 13))  # 600 molecules
    labels = [float(Chem.MolFromSmiles(text).HasSubstructMatch(NITROGEN)) for text in data.smiles]
    frame = pd.DataFrame({"smiles": data.smiles, "nitrogen": labels})
    known = zoo.data.load(frame, task="classification", tasks=["nitrogen"])
    learner = zoo.build("gin", dataset=known, optimizer="adam", optimizer_args={"lr": 5e-3},
                        model_args={"hidden_size": 16, "num_layers": 2})  # fmt: skip
    learner.fit(known.subset(range(400)), split=None, epochs=6, progress=False, schedule="constant")
    rest = [text for text, label in zip(known.smiles[500:], labels[500:], strict=True) if label]
    return learner, rest[:12]


@pytest.mark.parametrize("method", EXPLAINERS.names())
def test_a_model_of_nitrogens_points_at_nitrogens(nitrogens, method, tmp_path):
    learner, molecules = nitrogens
    found = learner.explain(molecules, method)
    hits, chance = [], []
    for each in found:
        atoms = {atom for match in each.mol.GetSubstructMatches(NITROGEN) for atom in match}
        if each.found.fragments:
            best = each.found.fragments[int(each.found.fragment_values.argmax())]
            hits.append(bool(atoms & set(best)))
            chance.append(sum(bool(atoms & set(part)) for part in each.found.fragments) / len(each.found.fragments))
        else:
            hits.append(int(each.atoms.argmax()) in atoms)
            chance.append(len(atoms) / len(each.atoms))
    assert np.mean(hits) >= 0.8
    assert np.mean(chance) < 0.6
    picture = found[:6].save(tmp_path / "nitrogens.html")
    assert picture.read_text().count("<img") == 6
    assert picture.stat().st_size < 6 * 60_000


def test_exact_values_are_the_mean_over_all_orders():
    generator = np.random.default_rng(0)
    table = generator.normal(size=16)
    values = exact_values(4, lambda coalitions: table[coalitions])
    expected = np.zeros(4)
    for order in itertools.permutations(range(4)):
        coalition = 0
        for player in order:
            expected[player] += table[coalition | 1 << player] - table[coalition]
            coalition |= 1 << player
    np.testing.assert_allclose(values, expected / math.factorial(4))
    drawn = sampled_values(4, lambda coalitions: table[coalitions], 500, 0)
    assert drawn.sum() == pytest.approx(table[15] - table[0])
    np.testing.assert_allclose(drawn, values, atol=0.25)
    again = sampled_values(4, lambda coalitions: table[coalitions], 500, 0)
    assert drawn.tolist() == again.tolist()


def test_myerson_values_of_a_chain():
    """Three players in a row who are worth 1 together: the middle one is needed by both others."""
    neighbors = [0b010, 0b101, 0b010]

    def worth(coalitions):
        return np.array([sum(part.bit_count() >= 2 for part in connected_parts(c, neighbors)) for c in coalitions])

    assert connected_parts(0b101, neighbors) == [0b001, 0b100]
    np.testing.assert_allclose(exact_values(3, worth), [1 / 6, 2 / 3, 1 / 6])


def test_shapley_and_myerson_sum_to_the_prediction():
    learner = zoo.build("gin", model_args={"hidden_size": 16})
    for method in ("shapley", "myerson"):
        for options in ({}, {"exact": 1, "orders": 3}):
            found = learner.explain("CC(=O)Oc1ccccc1C(=O)NCCN", method, **options)[0]
            assert found.found.total == pytest.approx(difference(found), abs=1e-4)
            assert len(found.found.fragments) > 2


@pytest.mark.parametrize(
    ("smiles", "number"), [("CCO", 3), ("c1ccccc1CC", 2), ("CC(=O)Nc1ccc(O)cc1", 3), ("[Na+].[Cl-]", 2), ("C", 1)]
)
def test_fragments_cover_each_atom_once(smiles, number):
    mol = Chem.MolFromSmiles(smiles)
    fragments = cut_fragments(mol)
    assert sorted(atom for part in fragments for atom in part) == list(range(mol.GetNumAtoms()))
    assert len(fragments) == number


@pytest.fixture(scope="module")
def forest():
    smiles = ["CCO", "CCN", "c1ccccc1", "NCc1ccccc1", "CCCC", "CCCCN", "OCCO", "NCCN", "CCCl", "NC1CC1"] * 2
    frame = pd.DataFrame({"smiles": smiles, "nitrogen": [float("N" in text) for text in smiles]})
    data = zoo.data.load(frame, task="classification", tasks=["nitrogen"])
    learner = zoo.build("random_forest", dataset=data, model_args={"num_trees": 20, "num_jobs": 1})
    learner.fit(data, split=None, progress=False)
    return learner, data


def test_forests_on_fingerprints(forest):
    learner, _ = forest
    game = make_game(learner, MoleculeRows(["NCc1ccccc1"]), Question(0, "nitrogen"))
    assert game.ends[1] == pytest.approx(learner.predict("NCc1ccccc1")[0, 0])
    assert learner.explain("NCc1ccccc1")[0].method == "masking"
    for method in ("masking", "shapley", "myerson"):
        found = learner.explain("CCCCN", method)[0]
        assert found.atoms.argmax() == 4
        assert found.unit == "probability"
    with pytest.raises(ValueError, match="choose method='masking'"):
        learner.explain("CCN", "integrated_gradients")


def test_ensembles(forest):
    learner, data = forest
    both = zoo.ensemble([zoo.build("gin", dataset=data, seed=seed, model_args={"hidden_size": 8}) for seed in (0, 1)])
    found = both.explain("CCN")[0]
    assert found.found.total == pytest.approx(difference(found), abs=1e-3)
    members = [member.explain("CCN")[0].atoms for member in both.members]
    np.testing.assert_allclose(found.atoms, np.mean(members, axis=0), atol=1e-6)
    with pytest.raises(ValueError, match="explain each alone"):
        zoo.ensemble([learner, both.members[0]]).explain("CCN")


@pytest.mark.parametrize("model", ["gcn", "random_forest"])
def test_features_next_to_the_molecules_stay(model):
    smiles = ["CCO", "CCN", "c1ccccc1", "CCCl"] * 3
    frame = pd.DataFrame({"smiles": smiles, "heat": range(12), "y": np.arange(12.0)})
    data = zoo.data.load(frame, task="regression", tasks=["y"], feature_columns=["heat"])
    learner = zoo.build(model, dataset=data)
    learner.fit(data, split=None, epochs=1, progress=False)
    found = learner.explain(frame[:2], "masking")
    predicted = learner.predict(frame[:2])
    assert [each.score for each in found] == pytest.approx(predicted[:, 0].tolist(), rel=1e-5)


def test_several_classes():
    frame = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC", "CCCl"] * 2, "kind": ["red", "green", "blue", "red"] * 2})
    data = zoo.data.load(frame, tasks=["kind"], task="multiclass")
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
    learner.fit(data, split=None, epochs=1, progress=False)
    found = learner.explain("CCO", class_name="green")[0]
    probability = learner.predict("CCO")[0, 0, list(data.label_names["kind"]).index("green")]
    assert found.prediction == pytest.approx(probability)
    assert found.score == pytest.approx(math.log(probability / (1 - probability)), abs=1e-4)
    with pytest.raises(ValueError, match="choose one of"):
        learner.explain("CCO", class_name="purple")


def test_what_cannot_be_explained_has_a_reason():
    learner = zoo.build("gcn", model_args={"hidden_size": 8})
    found = learner.explain(["", "C" * 400, "C"])
    assert [bool(each.reason) for each in found] == [True, True, False]
    assert "max_atoms=300" in found[1].reason
    assert found[0].to_dict()["reason"]
    with pytest.raises(LookupError, match="masking"):
        learner.explain("C", "mask")
    with pytest.raises(ValueError, match="task_0"):
        learner.explain("C", task="logS")


def test_notebooks_show_explanations_as_text_that_cannot_run():
    hostile = "CCO <script>alert(1)</script>"
    page = zoo.build("gcn", model_args={"hidden_size": 8}).explain([hostile, "<b>"])._repr_html_()
    assert "<script>" not in page
    assert "&lt;b&gt;" in page
    assert page.count("<img") == 1


@pytest.mark.parametrize("name", ["out.html", "out.json", "out.csv", "pictures"])
def test_the_command(name, forest, tmp_path, capsys):
    learner, _ = forest
    learner.save(tmp_path / "run")
    (tmp_path / "in.csv").write_text("smiles\nCCN\nnonsense\nCCO\nCCC\n")
    main(["explain", str(tmp_path / "run"), str(tmp_path / "in.csv"), "--molecules", "3", "--pictures", "png",
          "--output", str(tmp_path / name)])  # fmt: skip
    printed = capsys.readouterr().out
    assert "3 molecules, 1 without an explanation" in printed
    assert "the file has more" in printed
    if name == "pictures":
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["1.png", "3.png", "contributions.json"]
    if name == "out.json":
        found = json.loads((tmp_path / name).read_text())
        assert [len(each.get("atoms", [])) for each in found] == [3, 0, 3]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--output", "out.pdf"], "name a file .html, .json or .csv"),
        (["--method", "magic"], "unknown explainer"),
        (["--task", "logS"], "not a task of this model"),
        (["--molecules", "0"], "at least 1"),
    ],
)
def test_mistakes_are_one_line(words, expected, forest, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    forest[0].save("run")
    (tmp_path / "in.csv").write_text("smiles\nCCN\n")
    with pytest.raises(SystemExit) as stop:
        main(["explain", "run", "in.csv", *words])
    printed = capsys.readouterr().err
    assert stop.value.code == 2
    assert expected in printed
    assert printed.count("\n") == 1
