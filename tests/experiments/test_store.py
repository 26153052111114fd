from __future__ import annotations

import sqlite3

import pytest
from support.invented_rows import invented

from zoo.experiments import ResultRow, ResultsStore


def failed(run: str, reason: str = "no") -> ResultRow:
    return ResultRow(run, "failed", "m", "o", "d", 0, "random", reason=reason)


def test_rows_come_back_as_they_were_written(sweep, store):
    row = invented(sweep.runs()[0])
    store.append(row)
    (back,) = store.rows()
    assert back.written
    assert {**vars(back), "written": ""} == vars(row)


@pytest.mark.parametrize("statement", ["UPDATE results SET test = 1", "DELETE FROM results", "DELETE FROM sweeps"])
def test_nothing_that_was_written_can_be_changed(filled, statement):
    with sqlite3.connect(filled.path) as database, pytest.raises(sqlite3.IntegrityError, match="appended"):
        database.execute(statement)


def test_a_failure_can_be_reopened_as_often_as_it_happens_and_a_result_never(store, sweep):
    store.append(failed("a"))
    assert store.states() == {"a": "failed"}
    store.reopen_failed(["a", "b"])
    assert store.states() == {}
    store.append(failed("a", "again"))
    assert store.states() == {"a": "failed"}
    store.reopen_failed(["a"])
    row = invented(sweep.runs()[0])
    store.append(row)
    store.reopen_failed([row.run])
    assert store.states() == {row.run: "finished"}
    assert list(store.to_frame()["reason"].dropna()) == ["again"]


def test_the_same_specification_is_noted_once(store, sweep):
    for _ in range(2):
        store.note_sweep(sweep, sweep.runs(), "molzoo benchmark")
    assert store.select("SELECT COUNT(*) FROM sweeps") == [(1,)]
    assert store.latest_sweep()["plan"][0]["dataset"] == "b3db"


def test_deaths_are_starts_that_led_to_nothing(store):
    for event in ("started", "started", "stopped", "started"):
        store.note_event("a", event)
    assert store.deaths("a") == 2
    store.append(failed("a"))
    assert store.deaths("a") == 1


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.sqlite"
    path.write_text("not a database, but long enough to look at" * 9)
    with pytest.raises(ValueError, match=r"notes\.sqlite is no results file"):
        ResultsStore(path).states()
