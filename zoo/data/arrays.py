"""Types of the arrays that users get, complete for a type checker: any number of axes, one kind of number."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32 | np.float64]]
Float32: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Float64: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Int8: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int8]]
Int64: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Bool: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
Objects: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.object_]]
