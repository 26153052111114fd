"""Every file format of its own; all other files are read as text (CSV, TSV, SMI).

The target of an entry is a function from a `Path` to a `DataFrame` that raises a `zoo.data.errors.DataError` of one
line for a damaged file. `facts["suffixes"]` are the ends of the file names, in lower case, `facts["options"]` the
options of reading that the function takes; `facts["packed"]` says that the file may be gzip, bzip2 or xz.
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
    Entry(
        "structures",
        "zoo.data.reading.structures:StructureFile",
        "SD and MOL files, V2000 and V3000; properties are columns",
        facts={"suffixes": (".sdf", ".sd", ".mol", ".mdl"), "options": ("encoding",), "packed": True},
    ),
    Entry(
        "excel",
        "zoo.data.reading.workbook:read_workbook",
        "Excel workbooks; sheet= names the sheet",
        facts={"suffixes": (".xlsx", ".xlsm"), "options": ("sheet",)},
    ),
):
    FORMATS.add(_entry)
