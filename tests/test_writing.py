"""Docstrings, errors and names read as technical English: what reads badly stays out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path for package in ("zoo", "optim", "featurizers", "molzoo_runner") for path in (ROOT / package).rglob("*.py")
)
QUESTION = re.compile(r"(What|Why|Where|How|Which|When|Whose)\b")
BAD_STARTS = re.compile(r"(Of|Likewise|It|Its)\b")
BAD_WORDS = re.compile(
    r"\b(shall|so many|likewise|has not the|beside|unless told|is no (class|task|number|metric))\b", re.I
)
PARTICIPLES = {
    "asked",
    "checked",
    "chosen",
    "counted",
    "described",
    "drawn",
    "existing",
    "featurized",
    "formatted",
    "given",
    "linked",
    "listed",
    "made",
    "moved",
    "noted",
    "numbered",
    "parsed",
    "prepared",
    "shown",
    "told",
    "tried",
    "trusted",
    "widened",
    "written",
}


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


def reads_badly(line):
    """Whether a first line is a question, a fragment or has a word that reads badly."""
    return QUESTION.match(line) or BAD_STARTS.match(line) or BAD_WORDS.search(line)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_words(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bad = [f"{name}: {line}" for name, line in documented(tree) if reads_badly(line)]
    bad += [text for text in raised(tree) if BAD_WORDS.search(text)]
    bad += [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in PARTICIPLES]
    assert not bad


@pytest.mark.parametrize("line", ["Of the first parameter group.", "What a run gave.", "Likewise for regression."])
def test_the_guard_finds(line):
    assert reads_badly(line)
