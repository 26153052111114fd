"""Recipes of any content either reach training or end with one line, and leave nothing behind."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from zoo.commands.main import main
from zoo.experiments import experiment
from zoo.learners.estimator import Baseline
from zoo.learners.learner import Learner
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe

START = [
    Recipe("gcn", featurizer="canonical", model_args={"hidden_size": 4}, data=DataOptions(split="random"),
           training=TrainingOptions(epochs=1)),
    Recipe("dmpnn", "graphsam", model_args={"hidden_size": 4}, optimizer_args={"lr": 0.001, "base": "adamw"},
           task="regression", training=TrainingOptions(epochs=1)),
    Recipe("random_forest", featurizer="fingerprint"),
]  # fmt: skip
TEXT = st.text(max_size=6) | st.sampled_from(["null", "os:system", "../../x", "\x1b[31m", "1e3", "yes"])
NUMBERS = st.integers(-3, 9) | st.floats() | st.sampled_from([0, 1e308, 10**30])
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | TEXT, lambda inner: st.lists(inner, max_size=2)
                      | st.dictionaries(TEXT, inner, max_size=2), max_leaves=3)  # fmt: skip


class Reached(BaseException):
    """Raised in place of training."""


@st.composite
def mutated(draw) -> bytes:
    """A recipe with some values replaced, fields added or removed, or bytes changed."""
    values = json.loads(draw(st.sampled_from(START)).to_json())
    for _ in range(draw(st.integers(1, 3))):
        place = values
        while True:
            name = draw(st.sampled_from(sorted(place))) if place and draw(st.integers(0, 9)) else draw(TEXT)
            if not isinstance(place.get(name), dict) or draw(st.booleans()):
                break
            place = place[name]
        if draw(st.integers(0, 9)):
            place[name] = draw(VALUES)
        else:
            place.pop(name, None)
    text = bytearray(json.dumps(values, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 20]))):
        text[draw(st.integers(0, len(text) - 1))] = draw(st.integers(0, 255))
    return bytes(text)


def outcome(path, content, capsys) -> str:
    """What the command says; empty where it reaches training."""
    path.write_bytes(content)
    status = 0
    try:
        main(["train", "--recipe", str(path), "--output", str(path.parent / "out"), "--quiet"])
    except Reached:
        text = ""
    except SystemExit as stop:
        text, status = capsys.readouterr().err, stop.code
    assert status == 2 or not text, text
    assert not (path.parent / "out").exists()
    return text


@pytest.fixture
def no_training(monkeypatch):
    molecules = zoo.data.load((["C" * n for n in range(1, 30)], [n % 2 for n in range(1, 30)]))

    def reach(*_, **__):
        raise Reached

    monkeypatch.setattr(Learner, "fit", reach)
    monkeypatch.setattr(Baseline, "fit", reach)
    monkeypatch.setattr(experiment, "load_dataset", lambda options: molecules)


@settings(max_examples=250, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(mutated())
def test_any_recipe_trains_or_ends_with_one_line(no_training, tmp_path, capsys, content):
    text = outcome(tmp_path / "recipe.json", content, capsys)
    lines = [line for line in text.splitlines() if not line.startswith("molzoo: warning")]
    assert len(lines) <= 1, text
    assert text.isprintable() or text.count("\n") == len(text.splitlines())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00binary", "not a text file in UTF-8"),
        (b"", "is a mapping of fields"),
        (b"model: [", "is not YAML"),
        (b"model: !!python/object/apply:os.system ['true']", "is not YAML"),
        (b"[" * 30_000, "nested too deeply"),
        (b"x" * 1_500_000, "is a mapping of fields"),
        (b"model: {" + b"a: {" * 20 + b"}" * 21, "model="),
        (b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
            b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((98 + i,) * 2 + (97 + i,) * 7) for i in range(12)
        ) + b"model: gcn", "more than 100,000 values"),
        (b"optimizer: adam", "names its model"),
        (b"{model: gcn, training: {epochs: many}}", "epochs='many': give a whole number"),
        (b"{model: gcn, training: {rate_span: .nan}}", "rate_span=nan"),
        (b"{model: gcn, model_args: {hidden_size: -3}}", "hidden_size"),
        (b"{model: gcn, model_args: {hidden_size: text}}", "hidden_size"),
        (b"{model: gcn, optimizer_args: {lr: text}}", "lr='text'"),
        (b"{model: gcn, model_args: 3}", "model_args=3: give a mapping"),
        (b"1: gcn", "is not a name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_files_that_are_no_recipes_get_one_short_line(content, words, no_training, tmp_path, capsys):
    text = outcome(tmp_path / "recipe.yaml", content, capsys)
    assert words in text
    assert text.count("\n") == 1
    assert len(text) < 800


def test_numbers_in_yaml_may_have_exponents_as_in_json(tmp_path):
    (tmp_path / "recipe.yaml").write_text("{model: gcn, optimizer_args: {lr: 1e-3, weight_decay: 5E+2}}")
    assert Recipe.read(tmp_path / "recipe.yaml").optimizer_args == {"lr": 1e-3, "weight_decay": 500.0}
