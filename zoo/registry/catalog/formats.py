"""Every file format that is read as a frame; all other files are read as text (CSV, TSV, SMI).

The target of an entry is a function from a `Path` to a `DataFrame` that raises a `zoo.data.errors.DataError` of one
line for a damaged file. `facts["suffixes"]` are the ends of the file names, in lower case.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

FORMATS: Registry[Any] = Registry("format")

_entry: Entry[Any]
for _entry in (
    Entry(
        "parquet",
        "zoo.data.reading.parquet:read_parquet",
        "Apache Parquet, also under other names",
        facts={"suffixes": (".parquet", ".pq")},
    ),
):
    FORMATS.add(_entry)
