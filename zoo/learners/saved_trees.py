"""Trees in files of skops, checked before scikit-learn's compiled code gets them.

That code follows the indexes of a tree without looking: one that points outside of its arrays, or back to its own
parent, ends the process or never ends. The check reads the file's description and plain arrays only.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

LEAF = -1
COMPILED = ("Tree", "TreePredictor")


class DamagedTrees(ValueError):
    """Error of a file whose trees cannot be followed."""


def check_trees(path: Path, num_features: int) -> None:
    """Check every tree of a file.

    Args:
        path: What `skops.io.dump` wrote.
        num_features: F, columns of the matrix that the trees are asked about.

    Raises:
        DamagedTrees: It is not such a file, or a tree points outside of its arrays or of the columns.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for node in compiled_nodes(json.loads(archive.read("schema.json"))):
                if node["__class__"] == "Tree":
                    check_tree(archive, node, num_features)
                else:
                    check_predictor(archive, node, num_features)
    except DamagedTrees:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile) as error:
        raise DamagedTrees(f"not the description of trees: {error}") from error


def compiled_nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Find the descriptions of objects with compiled code."""
    if isinstance(node, Mapping):
        if node.get("__class__") in COMPILED:
            yield dict(node)
        for part in node.values():
            yield from compiled_nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from compiled_nodes(part)


def check_tree(archive: zipfile.ZipFile, node: Mapping[str, Any], num_features: int) -> None:
    """Check a tree of a forest."""
    features, classes, outputs = node["__reduce__"]["args"]["content"]
    state = node["content"]["content"]
    num_outputs, num_classes = number(outputs), array(archive, classes)
    nodes, values = array(archive, state["nodes"]), array(archive, state["values"])
    require(number(features) == num_features, f"made for {number(features)} columns, not {num_features}")
    require(num_outputs == 1 and num_classes.shape == (1,) and num_classes.dtype.kind in "iu", "more than one output")
    require(int(num_classes[0]) >= 1 and number(state["node_count"]) == len(nodes), "a wrong number of nodes")
    require(values.shape == (len(nodes), 1, int(num_classes[0])), "values for other nodes")
    left, right = nodes["left_child"].astype(np.int64), nodes["right_child"].astype(np.int64)
    inner = left != LEAF
    require(bool(((right != LEAF) == inner).all()), "a node with one child")
    check_links(left[inner], right[inner], np.flatnonzero(inner), len(nodes))
    check_columns(nodes["feature"][inner], num_features)


def check_predictor(archive: zipfile.ZipFile, node: Mapping[str, Any], num_features: int) -> None:
    """Check a tree of gradient boosting."""
    nodes = array(archive, node["content"]["content"]["nodes"])
    inner = ~nodes["is_leaf"].astype(bool)
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    check_links(left[inner], right[inner], np.flatnonzero(inner), len(nodes))
    check_columns(nodes["feature_idx"][inner], num_features)
    require(not nodes["is_categorical"].any(), "splits by categories, which molecules do not have")


def check_links(left: np.ndarray, right: np.ndarray, parents: np.ndarray, size: int) -> None:
    """Check that children lie behind their parents, so that every path ends, and within the tree."""
    require(size > 0, "no nodes")
    for children in (left, right):
        require(bool(((children > parents) & (children < size)).all()), "a node that points outside of its tree")


def check_columns(features: np.ndarray, num_features: int) -> None:
    """Check that nodes ask about columns that exist."""
    require(bool(((features >= 0) & (features < num_features)).all()), "a node that asks about a missing column")


def require(condition: bool, problem: str) -> None:
    """Raise a `DamagedTrees` unless the condition holds."""
    if not condition:
        raise DamagedTrees(f"a tree has {problem}")


def number(node: Mapping[str, Any]) -> int:
    """Return a whole number of a description."""
    value = json.loads(node["content"])
    if not isinstance(value, int):
        raise DamagedTrees(f"a number was expected, not {value!r}")
    return value


def array(archive: zipfile.ZipFile, node: Mapping[str, Any]) -> np.ndarray:
    """Return an array of a description; objects, which could run code, are refused by NumPy."""
    if node.get("__loader__") != "NdArrayNode" or node.get("type") != "numpy":
        raise DamagedTrees("an array was expected")
    return np.load(io.BytesIO(archive.read(node["file"])), allow_pickle=False)
