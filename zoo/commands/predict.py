"""`molzoo predict RUN FILE`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from featurizers.collection import without_collection
from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser
from zoo.inference.processes import count_early, started_early
from zoo.recipe.uncertainty import UncertaintyOptions
from zoo.registry.catalog import ESTIMATORS

DESCRIPTION = """Predict the molecules of a file. The output has the input's rows in the input's order, with the
predictions and, for rows that cannot be predicted, the reason. A call that was cut off goes on when it is repeated.

examples:
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv
  molzoo predict runs/b3db-grover-graphsam-seed0 CCO "CC(=O)O"
  cat molecules.smi | molzoo predict runs/b3db-grover-graphsam-seed0 - > predicted.csv
  molzoo predict runs/b3db-grover-graphsam-seed0 library.csv.gz --output predicted.csv.gz
  molzoo predict runs/b3db-grover-graphsam-seed0 library.parquet --smiles-column structure
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv --domain --neighbors 3
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv --uncertainty mc_dropout
  molzoo predict runs/b3db-grover-graphsam-seed0 huge.parquet --output predicted --shards 1000

With --shards, start as many of the same command as you like, at any time and on any machine that sees the folder: they
share the shards. In a job array each job may take its own: --shard $SLURM_ARRAY_TASK_ID."""

FILES, WORK, SHARDS, TRUST = "output", "work", "shards", "how far to trust them"
FIELDS = ("chunk_size", "batch_size", "num_workers", "device", "trust", "guard_formulas", "domain", "neighbors",
          "uncertainty", "uncertainty_args", "coverage")  # fmt: skip


def main(arguments: list[str]) -> None:
    """Write the predictions and say how many there are."""
    parser = CommandParser(prog="molzoo predict", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("input", nargs="+", help="a file (CSV, TSV, SMI, SDF, MOL, also .gz; Parquet, XLSX), - for "
                        "standard input, or SMILES")  # fmt: skip
    parser.add_option("--output", type=str | None, metavar="FILE", group=FILES,
                      help="CSV, TSV (also .gz) or Parquet; unless it is named NAME.RUN.predicted.csv next to a "
                      "file, and standard output for - and SMILES")  # fmt: skip
    add_reading(parser, ("smiles_column", "separator", "encoding", "sheet"))
    parser.add_option("--guard_formulas", action="store_true", group=FILES,
                      help="keep cells from being read as formulas by spreadsheets")  # fmt: skip
    parser.add_option("--shards", type=int | None, metavar="N", group=SHARDS,
                      help="write N Parquet files to the folder --output, or NAME.RUN.predicted")  # fmt: skip
    parser.add_option("--shard", type=int | None, metavar="I", group=SHARDS,
                      help="write this one only, from 0 to N - 1")  # fmt: skip
    add_trustworthiness(parser)
    parser.add_option("--chunk_size", type=int, default=1000, group=WORK, help="rows at a time; bounds the memory")
    parser.add_option("--batch_size", type=int | None, group=WORK, help="molecules in a batch of the model")
    parser.add_option("--num_workers", type=int | None, group=WORK, help="processes; one for each core unless given")
    parser.add_option("--device", default="auto", group=WORK, help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    parser.add_option("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_command(arguments)

    if options.shard is not None and options.shards is None:
        parser.error("--shard is one of --shards N: give both")

    early = count_early(options.input, options.num_workers, options.device)
    with started_early(early), tempfile.TemporaryDirectory(prefix="molzoo-") as folder:
        predict(options, Path(folder))


def predict(options: Any, folder: Path) -> None:
    """Predict what the command was given; rows that belong to no file of the user go to standard output.

    Args:
        options: Of the command.
        folder: For files that nobody needs afterwards.
    """
    with without_collection():
        from zoo.inference import default_output, given_file, naming_input, predict_file, predict_shards

    source, named = given_file(options.input, folder)
    shown = not named and options.output is None and options.shards is None
    place = default_output(options.run, source, ".csv" if options.shards is None else "")
    output = folder / "predicted.csv" if shown else Path(options.output or (place if named else place.name))
    how = {
        **vars(options.reading),
        **{name: getattr(options, name) for name in FIELDS},
        "progress": False if options.quiet or shown else None,
    }
    before = "by the call that was cut off" if options.shards is None else "by other calls"
    with naming_input(source, named):
        if options.shards is None:
            summary = predict_file(options.run, source, output, **how)
        else:
            summary = predict_shards(options.run, source, output, shards=options.shards, shard=options.shard, **how)
    if shown:
        with output.open(encoding="utf-8", newline="") as file:
            shutil.copyfileobj(file, sys.stdout)
    else:
        again = f", {summary.continued:,} of them {before}" if summary.continued else ""
        print(f"{output}: {summary.rows:,} rows, {summary.failed:,} without a prediction{again}")
    for name, count in summary.missing.items():
        note = f"note: {count:,} rows have no {name!r}: they got its mean in training"
        print(note, file=sys.stderr if shown else sys.stdout)
    if summary.all_failed:
        raise SystemExit(f"molzoo: no row could be predicted: {summary.reason}")


def add_trustworthiness(parser: CommandParser) -> None:
    """Add what is said about each prediction."""
    parser.add_fields(UncertaintyOptions, None, TRUST, names={"uncertainty": ESTIMATORS.names()})
    parser.add_option(
        "--domain", type=str | None, nargs="?", const="fingerprint", metavar="MEASURE", group=TRUST,
        help="also write nearest_similarity to the training molecules and in_domain; the measure is fingerprint, or "
        "embedding (nearest_distance)",
    )  # fmt: skip
    parser.add_option("--neighbors", type=int, default=0, metavar="K", group=TRUST,
                      help="write the K nearest training molecules with their labels too")  # fmt: skip
