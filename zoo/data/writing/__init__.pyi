from .rows import RowWriter as RowWriter
