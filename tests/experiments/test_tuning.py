from __future__ import annotations

import sys

import pytest

from zoo.commands import tune as command
from zoo.experiments.tuning import tuning as module
from zoo.experiments.tuning.search_space import with_values
from zoo.experiments.tuning.tuning import Tuning, best_recipe, tune
from zoo.recipe.recipe import Recipe

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

    def noted(recipe, dataset, device, callbacks):
        whole = dataset.split(recipe.data.split, seed=recipe.seed)
        before = module.assemble

        def watched(*args, **kwargs):
            learner = before(*args, **kwargs)
            fit, predict = learner.fit, learner.predict_packed
            learner.fit = lambda data, split, **rest: (
                seen.append((split, whole.test.smiles)) or fit(data, split=split, **rest)
            )
            learner.predict_packed = lambda packed, *rest: seen.append(len(packed)) or predict(packed, *rest)
            return learner

        monkeypatch.setattr(module, "assemble", watched)
        value = original(recipe, dataset, device, callbacks)
        monkeypatch.setattr(module, "assemble", before)
        return value

    original = module.best_validation
    monkeypatch.setattr(module, "best_validation", noted)
    chosen = Tuning.parse(SPECIFICATION.replace("trials: 4", "trials: 2", 1))
    lines: list[str] = []
    study = tune(chosen, tmp_path / "journal.log", report=lines.append)
    assert len(study.trials) == len(lines) == 2
    splits = [entry for entry in seen if isinstance(entry, tuple)]
    assert splits
    for split, test in splits:
        assert len(split.test) == 0
        assert not set(test) & {*split.train.smiles, *split.valid.smiles}
    again = tune(Tuning.parse(SPECIFICATION), tmp_path / "journal.log")
    assert len(again.trials) == 4
    recipe = best_recipe(chosen, again)
    assert recipe.optimizer_args["lr"] == again.best_params["optimizer_args.lr"]
    assert recipe.training.batch_size in (16, 32)
    assert recipe.model_args["hidden_size"] == 8


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
        module.import_optuna()
