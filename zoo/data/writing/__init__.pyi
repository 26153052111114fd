from .rows import RowWriter as RowWriter
from .rows import free_name as free_name
