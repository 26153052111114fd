"""Docstrings and errors read as technical English: words that read badly stay out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for package in ("zoo", "optim", "featurizers") for path in (ROOT / package).rglob("*.py"))
BAD_STARTS = re.compile(r"(Of|Likewise|Whether it is so)\b")
BAD_WORDS = re.compile(r"\b(shall|so many|likewise|has not the|beside)\b", re.IGNORECASE)


def documented(tree):
    """Modules, classes and functions with a docstring, and its first line."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text.partition("\n")[0]


def raised(tree):
    """Texts of the errors that are raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for part in ast.walk(node.exc):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_words(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bad = [f"{name}: {line}" for name, line in documented(tree) if BAD_STARTS.match(line) or BAD_WORDS.search(line)]
    bad += [text for text in raised(tree) if BAD_WORDS.search(text)]
    assert not bad
