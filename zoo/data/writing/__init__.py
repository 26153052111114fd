"""Rows with added columns to text and Parquet files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "rows": ["RowWriter"],
    },
)
