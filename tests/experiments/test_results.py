from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.invented_rows import invented

from zoo.experiments import ResultRow, ResultsFolder
from zoo.experiments.report.report import Report
from zoo.experiments.sweep.rows import read_table, write_table
from zoo.runs.names import safe_name

COMMITTED = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def failed(run: str, reason: str = "no") -> ResultRow:
    return ResultRow(run, "failed", "m", "o", "d", 0, "random", reason=reason)


def test_rows_come_back_as_they_were_written(sweep, results):
    rows = [dataclasses.replace(invented(run), written="2026-01-01T00:00:00+00:00") for run in sweep.runs()[:3]]
    rows.append(failed("a", 'quotes " and\nlines, commas'))
    write_table(results.table, rows)
    assert read_table(results.table) == rows
    assert [row for row in results.rows() if row.run == "a"] == rows[-1:]


def test_a_failure_can_be_reopened_and_a_result_never(sweep, results):
    first, second, kept = sweep.runs()[:3]
    results.folder(first).set_state("failed", "no")
    results.folder(second).set_state("finished")
    write_table(results.table, [dataclasses.replace(failed(kept.key))])
    assert [results.done(run) for run in (first, second, kept)] == ["failed", "finished", "failed"]
    results.reopen_failed([first, second, kept])
    assert [results.done(run) for run in (first, second, kept)] == [None, "finished", None]


def test_a_failure_that_another_process_repeats_stays_as_it_is(sweep, results):
    run = sweep.runs()[0]
    other = results.folder(run)
    other.set_state("failed", "no")
    other.claim()
    results.reopen_failed([run])
    assert results.done(run) == "failed"
    other.release()


def test_the_same_specification_is_noted_once(results, sweep):
    results.note_sweep(sweep, sweep.runs(), "molzoo benchmark")
    before = (results.path / "sweep.json").read_text()
    results.note_sweep(sweep, sweep.runs(), "molzoo benchmark again")
    assert (results.path / "sweep.json").read_text() == before
    assert results.latest_sweep()["plan"][0]["dataset"] == "b3db"


def test_results_can_go_without_their_folders(sweep, results):
    run = sweep.runs()[0]
    folder = results.folder(run)
    folder.note(planned=run.to_plan())
    folder.set_state("failed", "no")
    (row,) = read_table(results.keep())
    assert (row.run, row.model, row.reason) == (run.key, run.model, "no")


def test_a_run_is_found_under_another_name(sweep, results):
    run = sweep.runs()[0]
    results.folder(run).set_state("finished")
    other = dataclasses.replace(run, model="renamed")
    assert results.folder(other).path == results.folder(run).path
    assert other.key == run.key


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", "a/b", "C:\\x", "", "~", "x" * 300, "$HOME", "-rf", "\n"])
def test_no_name_leaves_its_folder(name, tmp_path):
    path = tmp_path / safe_name(name)
    assert path.parent == tmp_path
    assert path.resolve() == path
    assert not path.name.startswith((".", "-"))
    path.mkdir()


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"notes\.csv is not a table of results"):
        read_table(path)
    with pytest.raises(ValueError, match="holds no sweep"):
        ResultsFolder(tmp_path).latest_sweep()


@pytest.mark.parametrize(("name", "runs"), [("graphsam", 216), ("longer", 27)])
def test_the_committed_results_are_complete(name, runs):
    report = Report.read(COMMITTED / name)
    assert len(report.finished) == len(report.plan) == runs
    assert report.finished["test"].notna().all()
