"""`molzoo predict RUN FILE`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser

DESCRIPTION = """Predict the molecules of a file. The output has the input's rows in the input's order, with the
predictions and, for rows that cannot be predicted, the reason. A call that was cut off goes on when it is repeated.

examples:
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv
  molzoo predict runs/b3db-grover-graphsam-seed0 library.csv.gz --output predicted.csv.gz
  molzoo predict runs/b3db-grover-graphsam-seed0 library.parquet --smiles-column structure"""

FILES, WORK = "output", "work"


def main(arguments: list[str]) -> None:
    """Write the predictions and say how many there are."""
    parser = CommandParser(prog="molzoo predict", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("input", help="CSV, TSV, SMI (also .gz) or Parquet")
    parser.add_option("--output", type=str | None, metavar="FILE", group=FILES,
                      help="CSV, TSV (also .gz) or Parquet; NAME.RUN.predicted.csv unless it is named")  # fmt: skip
    add_reading(parser, ("smiles_column", "separator", "encoding"))
    parser.add_option("--guard_formulas", action="store_true", group=FILES,
                      help="no cell of the output is a spreadsheet formula")  # fmt: skip
    parser.add_option("--chunk_size", type=int, default=1000, group=WORK, help="rows at a time; bounds the memory")
    parser.add_option("--batch_size", type=int, default=64, group=WORK, help="molecules in a batch of the model")
    parser.add_option("--num_workers", type=int | None, group=WORK, help="processes; one for each core unless given")
    parser.add_option("--device", default="auto", group=WORK, help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    parser.add_option("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_command(arguments)

    from zoo.inference import default_output, predict_file

    source = Path(options.input)
    output = Path(options.output) if options.output else default_output(options.run, source)
    summary = predict_file(
        options.run,
        source,
        output,
        **vars(options.reading),
        chunk_size=options.chunk_size,
        num_workers=options.num_workers,
        batch_size=options.batch_size,
        device=options.device,
        trust=options.trust,
        guard_formulas=options.guard_formulas,
        progress=False if options.quiet else None,
    )
    again = f", {summary.continued:,} of them by the call that was cut off" if summary.continued else ""
    print(f"{output}: {summary.rows:,} rows, {summary.failed:,} without a prediction{again}")
    if summary.all_failed:
        raise SystemExit(f"molzoo: no row could be predicted: {summary.reason}")
