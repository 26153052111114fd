from __future__ import annotations

import sys

import pytest

from zoo.commands import tune as command
from zoo.experiments.report.report import Report, write_report
from zoo.experiments.tuning import study as opening
from zoo.experiments.tuning import tuning as module
from zoo.experiments.tuning.search_space import with_values
from zoo.experiments.tuning.tuning import Tuning, best_recipe, tune
from zoo.recipe.recipe import Recipe
from zoo.runs.folder import RunFolder

SPECIFICATION = """
name: quick
model: grover
model_args: {hidden_size: 8, num_layers: 2}
optimizer: sam
data: {source: b3db, split: random}
max_molecules: 40
training: {epochs: 2, batch_size: 16}
trials: 4
startup_trials: 1
search:
  optimizer_args.lr: {low: 0.001, high: 0.01, log: true}
  training.batch_size: [16, 32]
  model_args.num_heads: {low: 1, high: 2}
"""


@pytest.fixture(autouse=True)
def needs_optuna():
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")


def test_it_searches_goes_on_where_it_stopped_and_never_sees_the_test_part(tmp_path, monkeypatch):
    seen = []

    def watched(recipe, *, dataset, split, **rest):
        whole = dataset.split(recipe.data.split, seed=recipe.seed)
        seen.append((split, whole.test.smiles))
        return original(recipe, dataset=dataset, split=split, **rest)

    original = module.run
    monkeypatch.setattr(module, "run", watched)
    chosen = Tuning.parse(SPECIFICATION.replace("trials: 4", "trials: 2", 1))
    lines: list[str] = []
    study = tune(chosen, tmp_path / "journal.log", report=lines.append)
    assert len(study.trials) == len(lines) == 2
    assert seen
    for split, test in seen:
        assert len(split.test) == 0
        assert not set(test) & {*split.train.smiles, *split.valid.smiles}
    again = tune(Tuning.parse(SPECIFICATION), tmp_path / "journal.log")
    assert len(again.trials) == 4
    recipe = best_recipe(chosen, again)
    assert recipe.optimizer_args["lr"] == again.best_params["optimizer_args.lr"]
    assert recipe.training.batch_size in (16, 32)
    assert recipe.model_args["hidden_size"] == 8
    report = Report.read(tmp_path)
    assert len(report.finished) + len(report.failed) == 4
    assert report.finished["test"].isna().all()
    assert sorted(report.finished["valid"].dropna())[-1] == pytest.approx(again.best_value)
    write_report(tmp_path, tmp_path / "report")
    first = next((tmp_path / "trials").iterdir())
    assert RunFolder(first).split.rows["test"] == []


def values_of(study):
    return [trial.params for trial in study.trials]


def test_the_same_seed_draws_the_same_trials_and_processes_different_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "best_validation", lambda recipe, *rest: recipe.optimizer_args["lr"])
    first, again = (tune(Tuning.parse(SPECIFICATION), tmp_path / name / "journal.log") for name in "ab")
    assert values_of(first) == values_of(again)
    rates = [params["optimizer_args.lr"] for params in values_of(first)]
    assert len(set(rates)) == len(rates) == 4
    other = tune(Tuning.parse(SPECIFICATION + "sampler_seed: 1\n"), tmp_path / "c" / "journal.log")
    assert values_of(other) != values_of(first)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("model_args.hiden_size: [8]", "search: model_args.hiden_size: .*'hidden_size'"),
        ("optimizer_args.roh: [0.1]", "search: optimizer_args.roh: .*'rho'"),
        ("featurizer_args.nothing: [1]", "search: featurizer_args.nothing"),
        ("training.epoch: [1]", "search: training.epoch: .*'epochs'"),
        ("training.batch_size: [16, 0]", "search: training.batch_size: batch_size=0"),
        ("training.schedule: [noam, nome]", "search: training.schedule: .*'nome'"),
        ("training.monitor: [rmse]", "search: training.monitor"),
    ],
)
def test_keys_are_checked_before_the_study_begins(tmp_path, search, message):
    text = SPECIFICATION.partition("search:")[0] + f"search: {{{search}}}"
    with pytest.raises(ValueError, match=message):
        tune(Tuning.parse(text), tmp_path / "journal.log")
    assert list(tmp_path.iterdir()) == []


def test_a_corrected_specification_searches_anew_in_the_same_journal(tmp_path, monkeypatch):
    def fail(*arguments):
        raise ValueError("no luck")

    lines: list[str] = []
    with monkeypatch.context() as broken:
        broken.setattr(module, "best_validation", fail)
        study = tune(Tuning.parse(SPECIFICATION), tmp_path / "journal.log", report=lines.append)
    assert lines[-1].endswith("ValueError: no luck")
    with pytest.raises(ValueError, match=r"no trial has come to its end \(4 of 4: ValueError: no luck\)"):
        best_recipe(Tuning.parse(SPECIFICATION), study)
    monkeypatch.setattr(module, "best_validation", lambda *arguments: 0.5)
    again = tune(Tuning.parse(SPECIFICATION), tmp_path / "journal.log")
    assert [trial.state.name for trial in again.trials] == ["FAIL"] * 4 + ["COMPLETE"] * 4
    lines.clear()
    changed = SPECIFICATION.replace("[16, 32]", "[8, 16]")
    assert len(tune(Tuning.parse(changed), tmp_path / "journal.log", report=lines.append).trials) == 4
    assert "the specification has changed" in lines[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: text.rindex(b"{") + 20],
        lambda text: text + b'{"op_code": 4, "wor',
        lambda text: text + b'{"op_code": 4, "wor' + text.splitlines()[-1] + b"\n" + text.splitlines()[-1] + b"\n",
        lambda text: text + b"\0" * 50,
    ],
    ids=["last line cut", "half a line", "written behind half a line", "zeros"],
)
def test_a_damaged_journal_is_mended_and_said(tmp_path, monkeypatch, damage):
    journal = tmp_path / "journal.log"
    monkeypatch.setattr(module, "best_validation", lambda *arguments: 0.5)
    tune(Tuning.parse(SPECIFICATION.replace("trials: 4", "trials: 2", 1)), journal)
    whole = journal.read_bytes()
    journal.write_bytes(damage(whole))
    lines: list[str] = []
    study = tune(Tuning.parse(SPECIFICATION), journal, report=lines.append)
    assert "bytes of damaged lines were cut" in lines[0]
    assert sum(trial.state.name == "COMPLETE" for trial in study.trials) == 4
    lines.clear()
    tune(Tuning.parse(SPECIFICATION), journal, report=lines.append)
    assert lines == []


def test_a_trial_that_falls_behind_is_pruned():
    import optuna

    class Trial:
        reported: tuple = ()

        def report(self, value, step):
            self.reported += ((value, step),)

        def should_prune(self):
            return len(self.reported) == 2

    class Record:
        valid, epoch, score = {"roc_auc": 0.5}, 1, None

    trial = Trial()
    callback = module.Pruning(trial, "roc_auc")
    callback.on_epoch_end(None, Record)
    with pytest.raises(optuna.TrialPruned, match="after epoch 1"):
        callback.on_epoch_end(None, Record)
    assert trial.reported == ((0.5, 1), (0.5, 1))


def test_a_pruned_training_ends_early_and_the_study_goes_on(tmp_path, monkeypatch):
    import optuna

    monkeypatch.setattr(optuna.pruners.MedianPruner, "prune", lambda self, study, trial: trial.number > 0)
    study = tune(Tuning.parse(SPECIFICATION.replace("trials: 4", "trials: 2", 1)), tmp_path / "journal.log")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) == 1


def test_a_trial_with_an_error_fails_and_the_search_goes_on(tmp_path):
    wrong = SPECIFICATION.replace("model_args.num_heads: {low: 1, high: 2}", "model_args.num_heads: [3]")
    study = tune(Tuning.parse(wrong), tmp_path / "journal.log")
    assert {trial.state.name for trial in study.trials} == {"FAIL"}
    with pytest.raises(ValueError, match="no trial has come to its end"):
        best_recipe(Tuning.parse(wrong), study)


def test_the_command_writes_a_recipe_that_train_reads(tmp_path, capsys):
    path = tmp_path / "quick.yaml"
    path.write_text(SPECIFICATION.replace("trials: 4", "trials: 1", 1))
    command.main([str(path), "--output", str(tmp_path / "tuned")])
    recipe = Recipe.read(tmp_path / "tuned" / "recipe.yaml")
    assert (recipe.model, recipe.optimizer, recipe.data.split) == ("grover", "sam", "random")
    assert "best of 1 trials" in capsys.readouterr().out


def test_values_go_where_their_names_say():
    recipe = with_values(Recipe("grover"), {"training.epochs": 3, "optimizer_args.lr": 0.5, "model_args.depth": 2})
    assert (recipe.training.epochs, recipe.optimizer_args, recipe.model_args) == (3, {"lr": 0.5}, {"depth": 2})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("a: 1", ValueError, "search"),
        ("a: [", ValueError, "not YAML"),
        ("search: {}", ValueError, "at least one option"),
        ("search: {lr: [1]}", ValueError, r"SECTION\.OPTION"),
        ("search: {optimizer_args.lr: 3}", ValueError, "list of choices"),
        ("search: {optimizer_args.lr: {low: 3}}", ValueError, "low and high"),
        ("search: {optimizer_args.lr: {low: 3, high: 1}}", ValueError, "not below"),
        ("search: {optimizer_args.lr: {low: 0, high: 1, log: true}}", ValueError, "log needs low above 0"),
        ("search: {optimizer_args.lr: {lo: 0}}", TypeError, "'low'"),
        ("search: {a.b: [1]}\ntrial: 3", TypeError, "'trials'"),
        ("search: {training.epochs: [1]}\ntrials: 0", ValueError, "trials=0"),
    ],
)
def test_mistakes_are_named_with_the_remedy(text, error, message):
    with pytest.raises(error, match=message):
        Tuning.parse(text).space  # noqa: B018


def test_without_optuna_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'molzoo\[tune\]'"):
        opening.import_optuna()
