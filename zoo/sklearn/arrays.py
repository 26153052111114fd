"""X and y as users of scikit-learn give them, to SMILES and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem
from scipy.sparse import issparse


def smiles_of(X: Any) -> list[str]:
    """Return the SMILES (n) of a list, an array (n,) or (n, 1), a Series, or a DataFrame of one column.

    Args:
        X: SMILES or RDKit molecules.

    Raises:
        ValueError: Another shape, or nothing in it.
        TypeError: Cells that are no texts.

    Example:
        >>> smiles_of(np.array([["CCO"], ["CC"]]))
        ['CCO', 'CC']
    """
    if issparse(X):
        raise ValueError("X is a sparse matrix: sparse data are not supported, give a list of SMILES")
    if isinstance(X, (str, Chem.Mol)) or X is None:
        raise ValueError(f"X is {type(X).__name__}: give a list of SMILES, an array (n,) or (n, 1), or one column")
    if isinstance(X, (list, tuple)) and len(X) and all(isinstance(cell, (str, Chem.Mol)) for cell in X):
        cells = list(X)
    else:
        array = np.asarray(X, dtype=object)
        if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1):
            raise ValueError(f"X has shape {array.shape}: give one column of SMILES, (n,) or (n, 1)")
        cells = array.ravel().tolist()
    if not cells:
        raise ValueError("X has 0 sample(s) (0 feature(s)): a minimum of 1 is required")
    return [text_of(cell, row) for row, cell in enumerate(cells)]


def text_of(cell: Any, row: int) -> str:
    """Return the SMILES of a cell.

    Raises:
        TypeError: It is neither text nor a molecule.
    """
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, Chem.Mol):
        return Chem.MolToSmiles(cell)
    raise TypeError(f"X has {cell!r} in row {row} (argument must be a string): give SMILES or RDKit molecules")


def columns_of(y: Any, rows: int) -> tuple[np.ndarray, list[str], bool]:
    """Return labels as columns (n, T), their names, and whether there was one dimension.

    A single column (n, 1) counts as one dimension, as in scikit-learn.

    Raises:
        ValueError: Labels are missing, or they are not as many as molecules.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None: give a label for each molecule")
    names = [str(name) for name in y.columns] if isinstance(y, pd.DataFrame) else []
    if isinstance(y, pd.Series) and y.name is not None:
        names = [str(y.name)]
    array = np.asarray(y)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"y has shape {array.shape}: give labels (n,), or (n, T) for several tasks")
    columns = array.reshape(len(array), -1)
    if len(columns) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{rows}, {len(columns)}]")
    tasks = columns.shape[1]
    return columns, names or (["y"] if tasks == 1 else [f"y{number}" for number in range(tasks)]), tasks == 1


def numbers_of(columns: np.ndarray, single: bool) -> np.ndarray:
    """Return labels (n, T) as float64; missing ones (NaN, None) are allowed where there are several tasks.

    Raises:
        ValueError: Infinity, complex numbers, texts, or a missing label of a single task.
    """
    if np.iscomplexobj(columns):
        raise ValueError("Complex data not supported: y has complex numbers")
    values = pd.DataFrame(columns).apply(pd.to_numeric).to_numpy(np.float64)
    refuse_missing(np.isnan(values), single)
    if np.isinf(values).any():
        raise ValueError("Input y contains infinity: give finite numbers")
    return values


def classes_of(columns: np.ndarray, single: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the classes of each task, sorted, and labels (n, T) numbered by them, NaN where missing.

    Raises:
        ValueError: Measured numbers, a missing label of a single task, or a task with a single class.
    """
    from sklearn.utils.multiclass import check_classification_targets

    missing = np.asarray(pd.isna(columns))
    refuse_missing(missing, single)
    classes, numbered = [], np.full(columns.shape, np.nan)
    for task, column in enumerate(columns.T):
        known = ~missing[:, task]
        labels = column[known]
        if not single and labels.dtype.kind == "O":
            labels = np.array(labels.tolist())
        check_classification_targets(labels)
        found, numbered[known, task] = np.unique(labels, return_inverse=True)
        if len(found) < 2:
            raise ValueError(f"y has {len(found)} class in column {task}: at least two classes are needed")
        classes.append(found)
    return classes, numbered


def refuse_missing(missing: np.ndarray, single: bool) -> None:
    """Raise a `ValueError` where a single task misses a label, or several miss all of one column."""
    if single and missing.any():
        raise ValueError(f"Input y contains NaN in row {int(np.argmax(missing[:, 0]))}: leave molecules without it out")
    if missing.all(axis=0).any():
        raise ValueError(f"y has no labels in column {int(np.argmax(missing.all(axis=0)))} but NaN: leave it out")
