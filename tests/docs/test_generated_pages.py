"""Pages made from code say what the code says."""

from __future__ import annotations

import html
import re

import pytest
from generators import commands, models, parts
from generators.drawing import KNOWN
from generators.placeholders import put_back
from generators.tracing import trace_model
from support.pages import find_blocks

from zoo.commands import main as cli
from zoo.registry.catalog import MODELS, REGISTRIES

api = pytest.importorskip("generators.api", reason="the extra docs is not installed")
NETWORKS = [entry.name for entry in MODELS if not entry.facts.get("trains_itself")]
QUICK = ("gcn", "dmpnn", "gps", "random_forest")


@pytest.fixture(scope="module")
def model_pages():
    return models.make_pages()


@pytest.fixture(scope="module")
def traces():
    small = {trace.cls: trace for trace in map(trace_model, NETWORKS) if trace.weights[""] < 5_000_000}
    assert len(small) == len({MODELS[name].target for name in NETWORKS})
    return small


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_has_a_page_with_its_help(name, capsys):
    with pytest.raises(SystemExit):
        cli.main([name, "--help"])
    shown = capsys.readouterr().out
    page = commands.make_page(name)
    assert [block.code for block in find_blocks(page) if block.language == "text"] == [shown]
    with pytest.raises(SystemExit):
        cli.main([name, "--help-all"])
    flags = set(re.findall(r"^  (--[\w-]+)", capsys.readouterr().out, re.MULTILINE)) - {"--help", "--help-all"}
    assert flags == set(re.findall(r"^`(--[\w-]+)", page, re.MULTILINE))


def test_the_overview_of_commands_is_the_help():
    page = commands.make_overview()
    assert cli.help_text() in page
    assert all(f"({name}.md)" in page for name in cli.COMMANDS)


def test_options_have_their_defaults():
    page = commands.make_page("train")
    assert re.search(r"^`--batch-size N` = `32`\n:   Molecules per step", page, re.MULTILINE)
    assert "`--recipe NAME|FILE`\n" in page


def test_every_model_has_a_page(model_pages):
    assert set(model_pages) == {"models/index.md", *(f"models/{entry.name}.md" for entry in MODELS)}
    for entry in MODELS:
        page = model_pages[f"models/{entry.name}.md"]
        assert page.startswith(f"# {entry.name}\n")
        assert entry.summary in page
        assert "## Options" in page
        assert f'zoo.build("{entry.name}"' in page


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_shows_the_sizes(name, model_pages):
    page = put_back(model_pages[f"models/{name}.md"])
    drawing = page[page.index("<svg") : page.index("</svg>")]
    texts = re.findall(r">([^<]+)</text>", drawing)
    assert any(re.fullmatch(r"N × \d+", text) for text in texts)
    assert "B × tasks" in texts
    assert f"Featurizer: {MODELS[name].facts['featurizer']}" in map(html.unescape, texts)
    assert not any("{" in text for text in texts)


@pytest.mark.parametrize("cls", KNOWN)
def test_a_picture_leaves_no_part_of_the_model_out(cls, traces):
    trace = traces[cls]
    boxes = [box for row in KNOWN[cls] if not isinstance(row, str) for box in row]
    shown = {path.removeprefix("~") for box in boxes for path in box[2].split("+") if not path.startswith("@")}
    assert shown <= set(trace.weights)
    heavy = [path for path, number in trace.weights.items() if number and path.count(".") == 1]
    missed = [
        path
        for path in heavy
        if not any(f"{box}.".startswith(f"{path}.") or f"{path}.".startswith(f"{box}.") for box in shown)
    ]
    assert not missed


def test_every_network_of_the_catalog_has_a_description(traces):
    assert set(traces) == set(KNOWN)


@pytest.mark.parametrize("name", QUICK)
def test_the_recipe_of_a_model_runs(name, model_pages, short, capsys):
    blocks = [block for block in find_blocks(model_pages[f"models/{name}.md"]) if block.language == "python"]
    exec(compile(blocks[0].code, name, "exec"), {"__name__": "page"})
    assert "'roc_auc'" in capsys.readouterr().out


def test_scores_are_those_of_the_results(model_pages):
    page = (models.ROOT / "docs" / "measured.md").read_text(encoding="utf-8")
    grover = model_pages["models/grover.md"]
    scores = re.search(r"^\| grover \| adam \| ([\d.]+ ± [\d.]+)", page, re.MULTILINE)
    assert f"| adam | {scores[1]} |" in grover
    speed = re.search(r"^\| `grover` \|.*\| ([\d,]+) \| Rong", page, re.MULTILINE)
    assert f"| training, Adam | {speed[1]} molecules/s |" in grover


def test_every_part_with_a_name_is_on_a_page():
    pages = parts.make_pages()
    kinds = {registry.kind for registry, _, _ in parts.KINDS.values()}
    assert kinds == {registry.kind for registry in REGISTRIES.values()} - {"model"}
    for kind, (registry, _, _) in parts.KINDS.items():
        assert re.findall(r"^## (.+)$", pages[f"parts/{kind}.md"], re.MULTILINE) == registry.names()


def test_options_of_rules_are_their_own():
    section = parts.make_pages()["parts/optimizers.md"].partition("## graphsam\n")[2].partition("\n## ")[0]
    assert "`rho` = `0.05`" in section
    assert "`betas`" not in section


def test_every_public_name_is_in_the_reference():
    pages = api.make_pages()
    for door in ("zoo", "zoo.data", "zoo.trust", "optim", "featurizers"):
        page = pages[f"api/{door}.md"]
        for name in api.list_names(door):
            assert f"toc_label: {name}\n" in page or f"## {name}\n" in page or f".{name}`](" in page
    assert "::: zoo.learners.factory.build\n" in pages["api/zoo.md"]
    assert "(zoo.md#zoo.learners.factory.build)" in pages["api/zoo.learners.md"]
