"""CONTRIBUTING is true: its examples run, its places exist, its floors are those that import-linter enforces."""

import re
import sys
import types
from contextlib import ExitStack
from pathlib import Path

import pytest

from zoo.commands import main as cli
from zoo.experiments.report import panels
from zoo.registry import catalog

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: re.findall(r"```python\n(.*?)```", part, re.DOTALL) for part in TEXT.split("\n### ")[1:]
}
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][0]


@pytest.fixture
def restored(monkeypatch, tmp_path):
    """An empty folder, and registries and tables that forget what an example adds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "COMMANDS", dict(cli.COMMANDS))
    drawn = dict(panels.PANELS)
    with ExitStack() as stack:
        for registry in catalog.REGISTRIES.values():
            stack.enter_context(registry.restored())
        yield monkeypatch
    panels.PANELS.clear()
    panels.PANELS.update(drawn)


def run_example(title, monkeypatch):
    """Run the blocks of a section; one that names its file becomes that module. Returns the names of the last one."""
    names = {}
    for code in SECTIONS[title]:
        file = re.match(r"# (zoo/\S+)\.py\n", code)
        place = file[1].replace("/", ".") if file else "contributing"
        module = types.ModuleType(place)
        if file:
            monkeypatch.setitem(sys.modules, place, module)
        exec(compile(code, f"CONTRIBUTING.md, {title}", "exec"), module.__dict__)
        names = module.__dict__
    return names


@pytest.mark.parametrize("title", SECTIONS)
def test_example_runs(title, restored):
    assert SECTIONS[title], "a kind of addition without an example"
    run_example(title, restored)


def test_a_command_prints_and_is_listed(restored, capsys):
    run_example("A command", restored)
    assert capsys.readouterr().out == "3\n"
    assert "atoms" in cli.help_text()


def test_a_page_is_in_the_event_file(restored):
    from zoo.runs.log import EVENT_FILES, read_events

    run_example("A TensorBoard page", restored)
    events = read_events(sorted(Path("runs/page").glob(EVENT_FILES)), 10**9)
    assert "weights/norms" in {value.tag for event in events for value in event.summary.value}


def test_a_figure_is_in_both_reports(restored):
    from zoo.experiments.report.report import write_report

    run_example("A figure of the report", restored)
    html, markdown = write_report(ROOT / "benchmarks" / "results" / "longer", Path("report"))
    assert "Molecules a second in training." in html.read_text(encoding="utf-8")
    assert "![Speed](figures/speed.svg)" in markdown.read_text(encoding="utf-8")
    assert Path("report/figures/speed.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_kind_of_the_table_has_its_section():
    table = TEXT.partition("| kind |")[2].partition("\n\n")[0]
    linked = re.findall(r"^\| \[[^\]]+\]\(#([\w-]+)\)", table, re.MULTILINE)
    assert linked == [title.lower().replace(" ", "-") for title in SECTIONS]


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`((?:zoo|optim|featurizers|tests|\.ci)/[\w/.]+)`", TEXT))))
def test_places_exist(place):
    assert "yours" in place or "atoms.py" in place or (ROOT / place).exists()


def test_floors_are_those_that_are_enforced():
    table = TEXT.partition("| floor | rooms |")[2].partition("\n\n")[0]
    written = [re.findall(r"`zoo/(\w+)(?:/|\.py)`", line) for line in table.splitlines() if "`zoo/" in line]
    assert [set(rooms) for rooms in written] == [set(layer.split(" | ")) for layer in CONTRACT["layers"]]
    numbers = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert numbers == [str(floor) for floor in range(len(numbers) - 1, -1, -1)]


def test_every_room_is_described():
    table = TEXT.partition("| room | holds | never |")[2].partition("\n\n")[0]
    described = {name for line in table.splitlines() for name in re.findall(r"`zoo/(\w+)/`", line.split(" | ")[0])}
    folders = {path.name for path in (ROOT / "zoo").iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert described == folders == {room for layer in CONTRACT["layers"] for room in layer.split(" | ")} - {"__main__"}


def test_the_readme_tables_are_written_by_the_named_command():
    assert "python benchmarks/readme_tables.py --write" in TEXT
