"""How options are written, what is said of a wrong one, and what help texts look like."""

from __future__ import annotations

import re

import pytest

from zoo.commands.main import COMMANDS, main
from zoo.registry.catalog import METRICS, SPLITS

PYTHON = re.compile(
    r"\bNone\b|<class|NoneType|Optional\[|Union\[|dict\[|\btuple\b|\b[a-z]+_[a-z]+=|==SUPPRESS==|\(type:"
)


def help_of(command, capsys, flag="--help") -> str:
    with pytest.raises(SystemExit) as stop:
        main([command, flag])
    assert stop.value.code == 0
    return capsys.readouterr().out


def failure(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    assert stop.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_two_screens_in_the_words_of_the_command_line(command, capsys):
    text = help_of(command, capsys)
    assert len(text.splitlines()) <= 100
    assert max(map(len, text.splitlines())) <= 100
    assert not PYTHON.search(text)
    assert not PYTHON.search(help_of(command, capsys, "--help-all"))


def test_help_groups_options_and_lists_names(capsys):
    text = help_of("train", capsys)
    titles = [line for line in text.splitlines() if re.fullmatch(r"\w[\w ]*:", line)]
    groups = ["model and optimizer:", "data:", "splits:", "training:", "start from trained weights:", "output:"]
    assert titles == ["examples:", *groups, "other options:"]
    words = re.findall(r"[\w-]+", text)
    assert {*SPLITS.names(), *METRICS.names(), "noam", "constant", "bfloat16"} <= set(words)
    assert "--checkpoint-every" not in text
    assert "--checkpoint-every" in help_of("train", capsys, "--help-all")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--epoch", "3"], "no option --epoch. Did you mean --epochs?"),
        (["train", "--checkpoint", "3"], "Did you mean --checkpoint-every?"),
        (["train", "--lr", "0.1"], "no option --lr. Did you mean --optimizer-args.lr?"),
        (["train", "--learning-rate", "0.1"], "Did you mean --optimizer-args.lr?"),
        (["train", "--hidden-size=64"], "no option --hidden-size. Did you mean --model-args.hidden_size?"),
        (["predict", "run", "file.csv", "--passes", "9"], "Did you mean --uncertainty-args.passes?"),
        (["train", "--training.epoch", "3"], "no option --training.epoch"),
        (["train", "--epochs.x", "3"], "no option --epochs.x"),
        (["predict", "run", "file.csv", "--sep", ";"], "no option --sep. Did you mean --separator?"),
        (["data", "check", "x.csv", "--smile-column", "s"], "Did you mean --smiles-column?"),
        (["train", "--epochs", "many"], "--epochs many: give a whole number (see"),
        (["train", "--warmup-epochs", "many"], "--warmup-epochs many: give a number (see"),
        (["train", "--skip-first-sync", "maybe"], "--skip-first-sync maybe: give true or false (see"),
        (["train", "--model-args", "64"], "--model-args 64: give a mapping of names to values (see"),
        (["train", "--seeds", "a"], "--seeds"),
        (["evaluate", "run", "--part", "half"], "--part"),
        (["evaluate"], "RUN"),
        (["train", "extra"], "extra"),
    ],
)
def test_wrong_options_get_one_line_without_python(arguments, words, capsys):
    line = failure(capsys, *arguments)
    assert words in line
    assert not PYTHON.search(line)


def test_dashes_and_underscores_and_nested_names_are_the_same_option(capsys):
    for flag in ("--batch-size", "--batch_size", "--training.batch_size", "--training.batch-size"):
        assert "batch_size=0" in failure(capsys, "train", flag, "0")
