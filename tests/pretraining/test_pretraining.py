"""Pre-training: words and losses of the released GROVER, runs that resume bit for bit, encoders to fine-tune."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from rdkit import Chem
from safetensors.torch import load_file
from support.places import FIXTURES

import zoo
from featurizers import GroverFeaturizer, PackedMolecules
from zoo.commands.main import main
from zoo.data.errors import DataError
from zoo.learners.embedding import atom_states
from zoo.models.grover import Grover
from zoo.models.grover_weights import config_from_published, from_published
from zoo.pretraining import PretrainingOptions, Vocabulary, pretrain
from zoo.pretraining.labelling import LabellingFeaturizer
from zoo.pretraining.masks import draw
from zoo.pretraining.models import GroverPretraining
from zoo.pretraining.objectives import ContextAndMotifs, MaskedAtoms, Targets, hidden
from zoo.pretraining.vocabulary import build_vocabularies
from zoo.pretraining.words import MOTIFS, atom_words, bond_words, motifs
from zoo.recipe import Recipe
from zoo.runs.checkpoint import CheckpointError

FOLDER = FIXTURES / "grover"
SMALL = {
    "grover": {"hidden_size": 16, "num_layers": 2, "num_heads": 2},
    "gcn": {"hidden_size": 8},
    "mat": {"hidden_size": 16},
}
SMILES = ["C" * length + end for length in range(1, 9) for end in ("O", "N", "c1ccccc1", "C(=O)O", "Cl")]


class Released:
    """The released code's numbers for its pre-training task."""

    def __init__(self):
        self.facts = json.loads((FOLDER / "pretrain_task.json").read_text())
        self.expected = np.load(FOLDER / "pretrain_task.expected.npz")
        smiles = json.loads((FOLDER / "smiles.json").read_text())
        self.smiles = smiles["smiles"] if isinstance(smiles, dict) else smiles
        self.words = tuple(Vocabulary(tuple(self.facts[f"{kind}_itos"])) for kind in ("atom", "bond"))
        self.featurizer = GroverFeaturizer(chirality="published", hydrogens="as_written")
        labelling = LabellingFeaturizer(self.featurizer, *self.words)
        self.graph = labelling.collate(PackedMolecules.pack([labelling.read(text) for text in self.smiles]))

    def model(self):
        published = load_file(FOLDER / "pretrain_task.full.safetensors")
        config = config_from_published(self.facts["args"])
        model = GroverPretraining(Grover(config).encoder, config.hidden_size, *map(len, self.words)).double()
        tensors = from_published(published, config, encoder_only=True)
        weights = {f"encoder.{name}": tensor for name, tensor in tensors.items()}
        weights |= {ours: published[theirs] for ours, theirs in heads()}
        model.load_state_dict(weights)
        return model.eval()

    def labels(self, kind):
        """Their padding row is the first, ours the last."""
        return torch.from_numpy(np.append(self.expected[f"{kind}_label"][1:], 0))


def heads():
    """Our names of the heads' weights, and theirs."""
    for stream in ("atom", "bond"):
        for kind in ("weight", "bias"):
            yield f"atom_words.atom_from_{stream}.{kind}", f"av_task_{stream}.linear.{kind}"
            yield f"bond_words.bond_from_{stream}.forth.{kind}", f"bv_task_{stream}.linear.{kind}"
            yield f"bond_words.bond_from_{stream}.back.{kind}", f"bv_task_{stream}.linear_rev.{kind}"
            for of in ("atom", "bond"):
                yield f"motifs.{of}_from_{stream}.{kind}", f"fg_task_all.linear_{of}_from_{stream}.{kind}"


@pytest.fixture(scope="module")
def released():
    if not FOLDER.exists():
        pytest.skip("the numbers of the released GROVER are not here")
    return Released()


def test_words_and_groups_are_the_released_ones(released):
    facts = released.facts
    assert list(MOTIFS) == facts["fg_names"]
    for text, of_atoms, of_bonds in zip(released.smiles, facts["atom_vocab"], facts["bond_vocab"], strict=True):
        mol = released.featurizer.parse(text)
        assert atom_words(mol) == of_atoms
        assert bond_words(mol) == of_bonds
    np.testing.assert_array_equal(released.graph.extra["motifs"], released.expected["fg_label"])
    assert build_vocabularies(released.smiles, released.featurizer) == released.words


def test_losses_and_gradients_are_the_released_ones(released):
    model, expected = released.model(), released.expected
    targets = Targets(released.labels("atom"), released.labels("bond"), torch.from_numpy(expected["fg_label"]))
    outputs = model(released.graph)
    loss = ContextAndMotifs(released.facts["args"]["dist_coff"]).compare(outputs, targets, released.graph)
    named = dict(zip(released.facts["loss_order"], expected["losses"], strict=True))
    weight = released.facts["args"]["dist_coff"]
    found = {
        "overall": loss.total,
        "av": loss.parts["atom_words"], "bv": loss.parts["bond_words"], "fg": loss.parts["motifs"],
        "av_dist": loss.parts["atom_distance"] / weight, "bv_dist": loss.parts["bond_distance"] / weight,
        "fg_dist": loss.parts["motif_distance"],
    }  # fmt: skip
    assert {name: float(value.detach()) for name, value in found.items()} == pytest.approx(named, rel=1e-10)
    for stream in ("atom", "bond"):
        for ours, theirs in (("atoms", f"av_{stream}"), ("bonds", f"bv_{stream}")):
            scores = outputs[ours][f"{ours[:-1]}_from_{stream}"].detach()[:-1]
            np.testing.assert_allclose(scores, expected[theirs][1:], atol=1e-6)  # stored in float32
        for of in ("atom", "bond"):
            name = f"{of}_from_{stream}"
            np.testing.assert_allclose(outputs["motifs"][name].detach(), expected[f"fg_{name}"], rtol=1e-10)
    loss.total.backward()
    norms = released.facts["gradnorms"]
    own = dict(model.named_parameters())
    for ours, theirs in heads():
        assert float(own[ours].grad.norm()) == pytest.approx(norms[theirs], rel=1e-9)


def test_words_do_not_depend_on_the_order_of_atoms():
    mol = Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1")
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    other = Chem.RenumberAtoms(mol, order)
    assert [atom_words(mol)[place] for place in order] == atom_words(other)
    assert Counter(bond_words(mol)) == Counter(bond_words(other))
    assert motifs(mol).tolist() == motifs(other).tolist()


def test_vocabularies_are_counted_alike_by_processes():
    featurizer = GroverFeaturizer()
    smiles = [*SMILES, "not a molecule"] * 30
    assert build_vocabularies(smiles, featurizer) == build_vocabularies(smiles, featurizer, num_workers=2)
    few = build_vocabularies(smiles, featurizer, max_size=5)[0]
    assert len(few) == 5
    assert few.encode(["C_C-SINGLE2", "no such word"]) == [few.numbers["C_C-SINGLE2"], 1]
    with pytest.raises(DataError, match="starts with"):
        Vocabulary(("a", "b"))


def test_a_share_of_each_molecule_is_drawn():
    counts = torch.tensor([1, 20, 7, 0, 40])
    torch.manual_seed(0)
    drawn = torch.stack([draw(counts) for _ in range(400)])
    ends = counts.cumsum(0).tolist()
    for start, end, wanted in zip([0, *ends], ends, [1, 3, 2, 0, 6], strict=False):
        assert set(drawn[:, start:end].sum(1).tolist()) == {wanted}
    share = drawn[:, 21:28].double().mean(0)
    assert (share - 2 / 7).abs().max() < 0.1


def small_recipe(model, **training):
    options = {"epochs": 3, "batch_size": 16, **training}
    return zoo.recipe.override(
        Recipe("grover"), {"model": model, "model_args": SMALL.get(model, {}), "training": options}
    )


@pytest.fixture(scope="module")
def corpus():
    return zoo.data.load(SMILES)


@pytest.mark.parametrize("model", SMALL)
def test_the_loss_falls_and_the_encoder_can_be_fine_tuned(model, corpus, tmp_path):
    recipe = zoo.recipe.override(small_recipe(model, epochs=8), {"optimizer_args": {"lr": 1e-2}})
    outcome = pretrain(recipe, corpus=corpus, folder=tmp_path / "run", progress=False)
    losses = [record.valid["loss"] for record in outcome.history.epochs]
    assert losses[-1] < losses[0]
    loaded = zoo.load(str(tmp_path / "run"))
    np.testing.assert_allclose(loaded.embed(SMILES[:5]), outcome.learner.embed(SMILES[:5]), atol=1e-6)
    with pytest.raises(ValueError, match="no trained head"):
        loaded.predict(SMILES[:5])
    started = zoo.build(init=str(tmp_path / "run"))
    encoder = started.model.encoder.state_dict()
    assert all(torch.equal(encoder[name], value) for name, value in loaded.model.encoder.state_dict().items())
    history = started.fit((SMILES, [0, 1] * 20), split=None, epochs=1, progress=False)
    assert any(note.startswith("atom_words not used") for note in history.notes)


@pytest.mark.parametrize("optimizer", ["adam", "graphsam"])
def test_a_resumed_run_is_bit_identical(optimizer, corpus, tmp_path):
    def run(epochs, folder, resume=False):
        recipe = small_recipe("grover", epochs=epochs, schedule="constant")
        recipe = zoo.recipe.override(
            recipe, {"optimizer": optimizer, "model_args": {**SMALL["grover"], "dropout": 0.1}}
        )
        return pretrain(recipe, corpus=corpus, folder=tmp_path / folder, resume=resume, progress=False).learner.model

    once = run(3, "once").encoder.state_dict()
    run(1, "twice")
    twice = run(3, "twice", resume=True).encoder.state_dict()
    assert all(torch.equal(once[name], twice[name]) for name in once)


def test_inputs_are_hidden_for_the_pass_only(corpus):
    learner = zoo.build("gcn", model_args=SMALL["gcn"])
    words = build_vocabularies(SMILES, learner.featurizer)
    featurizer = LabellingFeaturizer(learner.featurizer, *words, groups=False)
    graph = featurizer.collate(PackedMolecules.pack([featurizer.read(text) for text in SMILES[:4]]))
    before = graph.atom_feats.clone()
    drawn = torch.zeros(graph.graph.num_nodes(), dtype=torch.bool)
    drawn[:3] = True
    with hidden(graph, drawn, None):
        assert not graph.atom_feats[:3].any()
        assert torch.equal(graph.atom_feats[3:], before[3:])
    assert torch.equal(graph.atom_feats, before)


def test_every_graph_model_gives_states_of_atoms():
    for entry in zoo.catalog.MODELS:
        if entry.facts.get("trains_itself") or entry.name.endswith(("_base", "_large", "_3d")):
            continue
        learner = zoo.build(entry.name)
        graph = learner.featurizer.collate(
            PackedMolecules.pack([learner.featurizer.read(text) for text in ("CCO", "C")])
        )
        with torch.no_grad():
            states = atom_states(learner.model.eval().encoder, graph)
            alone = atom_states(learner.model.encoder, learner.featurizer("C"))
        assert states.shape[0] == 4
        torch.testing.assert_close(states[3:], alone, atol=1e-5, rtol=1e-4)


def test_objectives_are_refused_where_they_do_not_fit(corpus):
    with pytest.raises(TypeError, match="choose masked_atoms"):
        pretrain(small_recipe("gcn"), PretrainingOptions("context_and_motifs"), corpus=corpus, progress=False)
    with pytest.raises(TypeError, match="no weights to pre-train"):
        pretrain(Recipe("random_forest", optimizer="none", featurizer="fingerprint"), corpus=corpus, progress=False)
    with pytest.raises(DataError, match="too few"):
        pretrain(small_recipe("gcn"), corpus=zoo.data.load(["CCO"]), progress=False)
    for wrong in ({"valid_share": 0.0}, {"min_count": 0}, {"max_words": 2}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PretrainingOptions(**wrong)
    assert MaskedAtoms().motifs is False


def test_the_command_trains_resumes_and_refuses(tmp_path, capsys):
    (tmp_path / "corpus.smi").write_text("\n".join(SMILES))
    folder = str(tmp_path / "run")
    start = ["pretrain", str(tmp_path / "corpus.smi"), "--quiet"]
    size = ["--model", "gcn", "--model-args.hidden_size", "8", "--epochs", "1"]
    main([*start, *size, "--output", folder])
    assert f"molzoo train --init {folder}" in capsys.readouterr().out
    main([*start, "--resume", folder, "--epochs", "2"])
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 3
    for arguments, message in (
        ([*start, "--resume", folder, "--mask-inputs", "true"], "other options of pre-training"),
        ([*start, "--resume", str(tmp_path / "nowhere")], "holds no run"),
        ([*start, *size, "--output", folder], "holds a run already"),
        ([*start, "--objective", "nonsense"], "masked_atoms"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
    assert issubclass(CheckpointError, ValueError)
