"""What `molzoo list` and `describe` know: from the source alone, as the objects say it, and explained."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zoo
from zoo.commands.list import KINDS
from zoo.commands.main import main
from zoo.data.reading.sets import ENTRIES
from zoo.learners.descriptions import accepted, describe, describe_entry
from zoo.learners.signatures import constructor_options
from zoo.recipe.presets import list_recipes
from zoo.registry import source
from zoo.registry.catalog import MODELS, REGISTRIES, WEIGHTS
from zoo.registry.docstrings import arguments_of
from zoo.registry.plugins import register_split
from zoo.registry.registry import Entry

PARTS = [
    pytest.param(registry, entry, id=f"{registry.kind}-{entry.name}")
    for registry in REGISTRIES.values()
    if registry is not WEIGHTS
    for entry in registry
]


@pytest.mark.parametrize(("registry", "entry"), PARTS)
def test_the_source_says_what_the_object_says(registry, entry):
    assert list(source.options(entry.target).items()) == list(constructor_options(entry.resolve()).items())


@pytest.mark.parametrize(("registry", "entry"), PARTS)
def test_every_option_is_explained(registry, entry):
    found = describe_entry(registry, entry, parameters=False)
    assert [name for name in found.options if len(found.texts.get(name, "")) < 4] == []
    assert all(len(line) <= 100 for line in str(found).splitlines()[1:])


def test_looking_around_imports_no_torch():
    code = """
import sys
from zoo.commands.main import main
from zoo.registry.catalog import REGISTRIES
main(["list"])
for registry in REGISTRIES.values():
    for entry in registry:
        main(["describe", entry.name])
main(["describe", "grover-graphsam"]); main(["describe", "tox21"])
for command in ("train", "predict", "evaluate", "list", "describe", "data"):
    try: main([command, "--help"])
    except SystemExit: pass
print("heavy:", sorted({"torch", "dgl", "rdkit", "pandas", "sklearn"} & sys.modules.keys()))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.rstrip().endswith("heavy: []")


def test_the_list_has_every_kind(capsys):
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(KINDS)
    names = {line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("    ")}
    assert {
        *list_recipes(),
        *(entry.name for entry in ENTRIES),
        *(e.name for r in REGISTRIES.values() for e in r),
    } <= names
    assert max(map(len, lines)) <= 100


def test_recipes_and_data_sets_are_described(capsys):
    main(["describe", "grover-graphsam-regression"])
    text = capsys.readouterr().out
    assert "recipe grover-graphsam-regression" in text
    assert "'epochs': 50" in text
    assert "--recipe grover-graphsam-regression" in text
    main(["describe", "tox21"])
    assert "SR-p53" in capsys.readouterr().out


def test_parameters_are_counted_on_request(capsys):
    main(["describe", "gcn"])
    assert "parameters" not in capsys.readouterr().out
    main(["describe", "gcn", "--parameters"])
    count = zoo.build("gcn").num_parameters
    assert f"parameters  {count:,}" in capsys.readouterr().out
    assert describe("gcn")[0].parameters == count


def test_parts_without_a_source_file_are_described_from_their_objects(monkeypatch):
    @register_split("by_order_of_a_test", summary="In order")
    def in_order(dataset, *, fractions=(0.5, 0.25, 0.25), step=2):
        """In order.

        Args:
            dataset: Molecules.
            fractions: Shares.
            step: Molecules that stay together.
        """

    registry = next(registry for registry in REGISTRIES.values() if registry.kind == "split")
    try:
        found = describe("by_order_of_a_test")[0]
    finally:
        del registry._entries["by_order_of_a_test"]
    assert found.options["step"] == 2
    assert found.texts["step"] == "Molecules that stay together."


def test_what_is_computed_is_not_guessed(tmp_path, monkeypatch):
    (tmp_path / "computed_defaults.py").write_text(
        "import os\nclass Part:\n    def __init__(self, size=os.cpu_count()): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(source.NotInSource):
        source.options("computed_defaults:Part")
    options, _ = accepted(MODELS, Entry("part", "computed_defaults:Part", ""))
    assert isinstance(options["size"], int)


def test_arguments_of_a_docstring_end_with_their_section():
    text = "Do.\n\nArgs:\n    a, b: Both: of them.\n        More.\n    *c: Rest.\n\nReturns:\n    d: Nothing.\n"
    assert arguments_of(text) == {"a": "Both: of them. More.", "b": "Both: of them. More.", "c": "Rest."}
