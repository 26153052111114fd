"""`python -m molzoo_runner MODEL FILE`: predict the molecules of a CSV file, chunk by chunk."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from molzoo_runner.errors import ModelFileError, one_line
from molzoo_runner.model import CHUNK, Model, load

COLUMNS = ("smiles", "canonical_smiles", "mol", "molecule", "structure")
MISUSED = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the rows of the input with the predictions, and say how many there are."""
    options = parse(arguments)
    try:
        done, failed = predict_file(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (ModelFileError, OSError, UnicodeDecodeError, csv.Error, ValueError, MemoryError) as error:
        print(f"molzoo_runner: error: {one_line(error)}", file=sys.stderr)
        raise SystemExit(MISUSED) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if options.output:
        print(f"{options.output}: {done:,} rows, {failed:,} without a prediction")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m molzoo_runner", description="Predict the molecules of a CSV file.")
    parser.add_argument("model", help="what `molzoo export` wrote: .zip or .onnx")
    parser.add_argument("input", help="a CSV file, or - for standard input")
    parser.add_argument("--output", metavar="FILE", help="a CSV file; standard output unless it is given")
    parser.add_argument("--smiles-column", metavar="NAME", help=f"default: {COLUMNS[0]}, or the only column")
    parser.add_argument("--calibrated", action="store_true", help="correct probabilities by the model's calibration")
    parser.add_argument("--coverage", type=float, metavar="X", help="add intervals or sets of this coverage, as 0.9")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads; one for each core unless given")
    return parser.parse_args(arguments)


def predict_file(options: argparse.Namespace) -> tuple[int, int]:
    """Predict a file; return the number of rows, and of those without a prediction."""
    if options.threads < 0:
        raise ValueError(f"--threads {options.threads}: give a positive number, or 0")
    model = load(options.model, threads=options.threads)
    how = {"calibrated": options.calibrated, "coverage": options.coverage}
    model.predictions([], **how)  # says at once where an option does not fit
    done = failed = 0
    with reading(options.input) as source, writing(options.output, options.input) as target:
        rows = csv.reader(source)
        header = next(rows, None)
        if header is None:
            raise ValueError(f"{options.input} is empty: give a CSV file with a header")
        place = find_column(header, options.smiles_column)
        writer = csv.writer(target, lineterminator="\n")
        for number, chunk in enumerate(chunks(rows)):
            table = model.predictions([smiles_of(row, place) for row in chunk], **how).table()
            if number == 0:
                writer.writerow([*header, *table])
            failed += sum(map(bool, table["reason"]))
            done += len(chunk)
            cells = zip(*table.values(), strict=True)
            writer.writerows([*fitted(row, len(header)), *extra] for row, extra in zip(chunk, cells, strict=True))
        if not done:
            writer.writerow([*header, *names_of(model, how)])
    return done, failed


def names_of(model: Model, how: dict[str, Any]) -> list[str]:
    """Names of the columns that predictions have."""
    return list(model.predictions([], **how).table())


def smiles_of(row: list[str], place: int) -> str:
    """Return the molecule of a row; empty in a row that is too short."""
    return row[place] if place < len(row) else ""


def fitted(row: list[str], width: int) -> list[str]:
    """Return the cells of a row in as many columns as the header has."""
    return (row + [""] * (width - len(row)))[:width]


def chunks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """Iterate over the rows that are not empty, some at a time."""
    some = filter(None, rows)
    while chunk := list(islice(some, CHUNK)):
        yield chunk


def find_column(header: Sequence[str], name: str | None) -> int:
    """Return the place of the column of molecules.

    Raises:
        ValueError: There is none, or the header does not tell which it is.
    """
    if name is not None:
        if name not in header:
            raise ValueError(f"no column {name!r}: the file has {', '.join(header)[:200]}")
        return list(header).index(name)
    lower = [cell.strip().lower() for cell in header]
    found = next((lower.index(each) for each in COLUMNS if each in lower), 0 if len(header) == 1 else None)
    if found is None:
        raise ValueError(
            f"no column smiles: name that of the molecules with --smiles-column, of {', '.join(header)[:200]}"
        )
    return found


@contextmanager
def reading(path: str) -> Iterator[TextIO]:
    """Open the input."""
    if path == "-":
        sys.stdin.reconfigure(encoding="utf-8-sig", newline="")  # type: ignore[union-attr]
        yield sys.stdin
        return
    with open(path, encoding="utf-8-sig", newline="") as file:
        yield file


@contextmanager
def writing(path: str | None, source: str) -> Iterator[TextIO]:
    """Open the output, which gets its name once it is complete."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    if source != "-" and os.path.exists(path) and os.path.samefile(path, source):
        raise ValueError(f"--output {path} is the input: name another file")
    with tempfile.TemporaryDirectory(prefix=".molzoo_runner-", dir=Path(path).absolute().parent) as folder:
        place = Path(folder) / "predicted.csv"
        with place.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(place, path)


if __name__ == "__main__":
    main()
