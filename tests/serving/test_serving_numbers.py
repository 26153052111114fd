"""The figures of docs/serving.md are those of benchmarks/results/serving.jsonl."""

import json

from support.places import ROOT

TEXT = " ".join((ROOT / "docs" / "serving.md").read_text(encoding="utf-8").split())
LINES = [json.loads(line) for line in (ROOT / "benchmarks/results/serving.jsonl").read_text().splitlines()]


def test_load():
    loads = [line for line in LINES if "molecules" in line]
    assert {(line["molecules"], line["clients"]) for line in loads} == {(1, 1), (1, 8), (1000, 1), (1000, 8)}
    for line in loads:
        rate = line["per_second"]
        row = f"| {line['molecules']} | {line['clients']} | {rate:g} | {rate * line['molecules']:g} | "
        row += f"{line['cpu_ms']:g} ms | {line['python_cpu_ms']:g} ms | {line['errors']} |"
        assert row in TEXT, row


def test_soak():
    (line,) = [line for line in LINES if line.get("soak")]
    assert not line["missed"]
    before, after = line["memory_mb_before"], line["memory_mb_after"]
    assert f"{line['requests']:,} requests" in TEXT
    assert f"from {before:,} MB to {after:,} MB" in TEXT
