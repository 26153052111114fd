"""Code blocks of Markdown pages, and how tests run them.

Blocks of one page run from top to bottom with one set of names, in an empty folder:

* ```` ```python ```` is executed;
* in ```` ```sh ````, ```` ```bash ```` and ```` ```console ````, each line `molzoo ...` is run, with or without a
  prompt `$ ` (then lines without one are output); other programs are left out;
* a block of any other language with `title="my.csv"` is written to that file.

`<!-- setup: python code -->` runs without being shown. `<!-- not run: reason -->` above a block leaves its code out;
the options of its commands are parsed all the same.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from zoo.commands import main as cli
from zoo.commands.parser import CommandParser

SHELLS = ("sh", "bash", "console")
PIECE = re.compile(
    r"^<!-- (?P<word>setup|not run):\s*(?P<said>.*?)-->"
    r"|^(?P<fence>`{3,})(?P<language>[\w+-]*)(?P<options>[^\n`]*)\n(?P<code>.*?)^(?P=fence)[ \t]*$",
    re.S | re.M,
)
TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A block of code.

    Args:
        language: What stands behind the fence; "setup" for hidden code.
        code: Its text.
        line: Where it begins, from 1.
        title: Name of the file that it is.
        left_out: Why it is not run; empty where it is.
    """

    language: str
    code: str
    line: int
    title: str = ""
    left_out: str = ""


class Parsed(Exception):
    """Raised where the arguments of a command were understood."""


def find_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page."""
    left_out = ""
    for piece in PIECE.finditer(text):
        line = text.count("\n", 0, piece.start()) + 1
        if piece["word"] == "not run":
            left_out = piece["said"].strip()
            assert left_out, f"line {line}: say why it is not run"
        elif piece["word"] == "setup":
            yield Block("setup", piece["said"], line)
        else:
            title = TITLE.search(piece["options"])
            yield Block(piece["language"], piece["code"], line, title[1] if title else "", left_out)
            left_out = ""


def find_commands(code: str) -> list[list[str]]:
    """Return the words of each `molzoo` command in a block of a shell."""
    lines = code.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    split = [shlex.split(line, comments=True) for line in lines if re.match(r"\s*molzoo\b", line)]
    return [words[1:] for words in split]


def parse_only(words: list[str], monkeypatch) -> None:
    """Parse the options of a command; a wrong one ends the process with status 2."""
    parse = CommandParser._parse

    def stop(parser, arguments, defaults):
        parse(parser, arguments, defaults)
        raise Parsed

    with monkeypatch.context() as patched:
        patched.setattr(CommandParser, "_parse", stop)
        patched.setenv("MOLZOO_TRACEBACK", "1")
        try:
            cli.main(words)
        except Parsed:
            return


def run_command(words: list[str]) -> None:
    """Run a command in this process."""
    try:
        cli.main(words)
    except SystemExit as stop:
        if stop.code:
            pytest.fail(f"molzoo {shlex.join(words)} ended with status {stop.code}")


def run_page(path: Path, monkeypatch) -> ModuleType:
    """Run the blocks of a page in the current folder. Returns a module with the names of its Python."""
    module = ModuleType("page")
    for block in find_blocks(path.read_text(encoding="utf-8")):
        if block.language in SHELLS:
            for words in find_commands(block.code):
                parse_only(words, monkeypatch) if block.left_out else run_command(words)
        elif block.language in ("python", "setup") and not block.left_out:
            code = "\n" * (block.line - (block.language == "setup")) + block.code
            exec(compile(code, str(path), "exec"), module.__dict__)
        elif block.title and not block.left_out:
            Path(block.title).parent.mkdir(parents=True, exist_ok=True)
            Path(block.title).write_text(block.code, encoding="utf-8")
    return module
