"""`molzoo predict RUN FILE`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Predict the molecules of a file. The output has the input's rows in the input's order, with the
predictions and, for rows that cannot be predicted, the reason. A call that was cut off goes on when it is repeated.

examples:
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv
  molzoo predict runs/b3db-grover-graphsam-seed0 library.csv.gz --output predicted.csv.gz --num-workers 8
  molzoo predict runs/b3db-grover-graphsam-seed0 library.parquet --smiles-column structure"""


def main(arguments: list[str]) -> None:
    """Write the predictions and say how many there are."""
    parser = CommandParser(prog="molzoo predict", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or a checkpoint")
    parser.add_argument("input", help="CSV, TSV, SMI (also .gz) or Parquet")
    parser.add_argument(
        "--output", type=str | None, help="CSV, TSV (also .gz) or Parquet; default: NAME.RUN.predicted.csv"
    )
    parser.add_argument("--smiles_column", type=str | None, help="default: found by name")
    parser.add_argument("--separator", type=str | None, help="between the cells of a text file; default: found")
    parser.add_argument("--encoding", type=str | None, help="of a text file; default: found")
    parser.add_argument("--chunk_size", type=int, default=1000, help="rows at a time; bounds the memory")
    parser.add_argument("--batch_size", type=int, default=64, help="molecules in a batch of the model")
    parser.add_argument("--num_workers", type=int | None, help="processes; default: one for each core")
    parser.add_argument("--device", default="auto", help="cpu, cuda, ...")
    parser.add_trust()
    parser.add_argument("--guard_formulas", action="store_true", help="no cell of the output is a spreadsheet formula")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_command(arguments)

    from zoo.inference import default_output, predict_file
    from zoo.runs.lifetime import stop_on_signals

    source = Path(options.input)
    output = Path(options.output) if options.output else default_output(options.run, source)
    with stop_on_signals():
        summary = predict_file(
            options.run,
            source,
            output,
            smiles_column=options.smiles_column,
            separator=options.separator,
            encoding=options.encoding,
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
