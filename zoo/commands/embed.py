"""`molzoo embed RUN FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser
from zoo.inference.processes import count_early, started_early

DESCRIPTION = """Write what a trained or pre-trained model makes of molecules before its head: a vector for each
molecule, or for each atom, as columns e0, e1, ... next to the columns of the file.

examples:
  molzoo embed runs/b3db-grover-graphsam-seed0 molecules.csv --output embeddings.parquet
  molzoo embed grover-base molecules.smi --source both
  molzoo embed pretrained molecules.sdf --level atom --output atoms.parquet
  molzoo embed grover-base huge.parquet --output vectors --shards 1000

With --shards, start as many of the same command as you like: they share the shards, as those of molzoo predict."""
WHAT, WORK, SHARDS = "what is written", "work", "shards"


def main(arguments: list[str]) -> None:
    """Write the table and say what is in it."""
    parser = CommandParser(prog="molzoo embed", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("input", help="CSV, TSV, SMI, SDF (also .gz), Parquet, ...")
    parser.add_option("--output", type=str | None, metavar="FILE", group=WHAT,
                      help="CSV, TSV (also .gz) or Parquet; NAME.RUN.embedded.parquet unless it is named")  # fmt: skip
    parser.add_option("--level", choices=("molecule", "atom"), default="molecule", group=WHAT, help="a row for each")
    parser.add_option("--source", type=str | None, metavar="NAME", group=WHAT,
                      help="for GROVER: atom, bond or both, as its command `fingerprint`")  # fmt: skip
    parser.add_option("--shards", type=int | None, metavar="N", group=SHARDS,
                      help="write N Parquet files to the folder --output, or NAME.RUN.embedded")  # fmt: skip
    parser.add_option("--shard", type=int | None, metavar="I", group=SHARDS,
                      help="write this one only, from 0 to N - 1")  # fmt: skip
    add_reading(parser, ("smiles_column", "separator", "encoding", "sheet"))
    parser.add_option("--chunk_size", type=int, default=1000, group=WORK, help="rows at a time; bounds the memory")
    parser.add_option("--batch_size", type=int | None, group=WORK, help="molecules in a batch of the model")
    parser.add_option("--num_workers", type=int | None, group=WORK, help="processes; one for each core unless given")
    parser.add_option("--device", default="auto", group=WORK, help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    parser.add_option("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_command(arguments)

    if options.shard is not None and options.shards is None:
        parser.error("--shard is one of --shards N: give both")

    with started_early(count_early([options.input], options.num_workers, options.device)):
        embed(options)


def embed(options: Any) -> None:
    """Embed the file that the command was given, and say what came of it."""
    from zoo.inference import default_output, embed_file, embed_shards
    from zoo.recipe.options import ReadOptions

    ending = ".parquet" if options.shards is None else ""
    place = default_output(options.run, options.input, ".parquet").with_suffix("").with_suffix(f".embedded{ending}")
    output = Path(options.output or place)
    how = {
        "level": options.level,
        "of": options.source,
        "options": ReadOptions(**vars(options.reading)),
        **{name: getattr(options, name) for name in ("chunk_size", "num_workers", "batch_size", "device", "trust")},
        "progress": False if options.quiet else None,
    }
    if options.shards is None:
        found = embed_file(options.run, options.input, output, **how)
        print(f"{output}: {found.rows:,} rows, {found.failed:,} without a vector, {found.width:,} columns e0 ...")
        return
    summary = embed_shards(options.run, options.input, output, shards=options.shards, shard=options.shard, **how)
    again = f", {summary.continued:,} of them by other calls" if summary.continued else ""
    print(f"{output}: {summary.rows:,} rows, {summary.failed:,} without a vector{again}")
