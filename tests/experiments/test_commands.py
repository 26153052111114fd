from __future__ import annotations

import pytest

from zoo.commands.main import main

FOREST = "models: {random_forest: {args: {num_trees: 5, num_jobs: 1}}}\ndatasets: {b3db: {max_molecules: 60}}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "forest.yaml").write_text(FOREST)
    return tmp_path


def test_from_specification_to_report(here, capsys):
    main(["benchmark", "forest.yaml", "--dry-run"])
    assert "open      b3db random_forest none seed 0" in capsys.readouterr().out
    main(["benchmark", str(here / "forest.yaml"), "--data-dir", str(here)])
    assert "1 finished, 0 failed, 0 open" in capsys.readouterr().out
    main(["benchmark", "forest.yaml", "--dry-run"])
    assert "finished  b3db random_forest" in capsys.readouterr().out
    main(["report", "results/forest"])
    html, markdown = capsys.readouterr().out.split()
    assert str(here) not in (here / html).read_text()
    assert "molzoo benchmark forest.yaml --workers 1 --data-dir MOLECULENET" in (here / markdown).read_text()


def test_failed_runs_are_seen_in_the_status(here, capsys):
    (here / "wrong.yaml").write_text(FOREST.replace("num_jobs: 1}", "num_jobs: 1}, task_args: {loss: squared}"))
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", "wrong.yaml"])
    assert stopped.value.code == 1
    assert "0 finished, 1 failed, 0 open" in capsys.readouterr().out


def test_nothing_of_this_machine_is_in_the_results(here, capsys):
    main(["benchmark", "forest.yaml", "--data-dir", str(here)])
    files = [path for path in (here / "results").rglob("*") if path.is_file()]
    assert len(files) > 8
    assert not [path for path in files if str(here).encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["benchmark", "none.yaml"], "none.yaml"),
        (["benchmark", "forest.yaml", "--workers", "0"], "workers=0"),
        (["report", "none"], "does not exist"),
        (["report", "old.sqlite"], "sqlite_to_table.py old.sqlite"),
        (["tune", "forest.yaml"], "`search:`"),
    ],
)
def test_mistakes_are_one_line_and_status_2(here, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    printed = capsys.readouterr().err
    assert stopped.value.code == 2
    assert message in printed
    assert printed.count("\n") == 1
