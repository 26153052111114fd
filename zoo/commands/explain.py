"""`molzoo explain RUN FILE`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.data_fields import add_reading
from zoo.commands.parser import CommandParser
from zoo.registry.catalog.explainers import EXPLAINERS

DESCRIPTION = """Show which atoms and bonds the predictions of molecules come from.

examples:
  molzoo explain runs/b3db-grover-graphsam-seed0 molecules.csv
  molzoo explain runs/b3db-grover-graphsam-seed0 molecules.csv --method masking --output why.json
  molzoo explain runs/tox21-gcn-seed0 molecules.smi --task NR-AR --output pictures --pictures png"""

MOST = 100
WHAT, OUTPUT = "what is explained", "output"


def main(arguments: list[str]) -> None:
    """Write the explanations and say where they are."""
    options = make_parser().parse_command(arguments)

    from itertools import islice

    from zoo import data
    from zoo.learners import load
    from zoo.learners.molecule_lists import together
    from zoo.recipe.options import ReadOptions

    if options.molecules < 1:
        raise ValueError(f"--molecules {options.molecules}: give a number of at least 1")
    learner = load(options.run, device=options.device, trust=options.trust)
    inputs = learner.fitted.inputs
    rows = data.stream(options.input, options=ReadOptions(**vars(options.reading)), inputs=inputs)
    chunks = list(islice((chunk.molecules for chunk in rows), options.molecules // rows.chunk_size + 1))
    molecules = next(together(chunks, inputs).chunks(options.molecules))
    more = sum(map(len, chunks)) > options.molecules
    found = learner.explain(molecules, options.method, task=options.task, class_name=options.class_name)
    source = Path(options.input)
    output = found.save(options.output or source.with_name(f"{source.stem}.explained.html"), options.pictures)
    failed = [each for each in found if each.reason]
    print(f"{output}: {len(found):,} molecules, {len(failed):,} without an explanation")
    if more:
        print(f"           the file has more: --molecules N explains the first N, not {options.molecules:,}")
    if any(each.found is not None and not each.found.complete for each in found) and found[0].method != "masking":
        print("           for some, the contributions do not sum to the prediction: the JSON file says for which")
    if len(failed) == len(found):
        raise SystemExit(
            f"molzoo: no molecule could be explained: {failed[0].reason if failed else 'the file is empty'}"
        )


def make_parser() -> CommandParser:
    """Make the parser."""
    parser = CommandParser(prog="molzoo explain", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run, a checkpoint or an ensemble")
    parser.add_argument("input", help="CSV, TSV, SMI (also .gz) or Parquet")
    parser.add_option("--method", type=str | None, metavar="NAME", group=WHAT,
                      help=f"{', '.join(EXPLAINERS.names())}; the first, or masking for baselines")  # fmt: skip
    parser.add_option("--task", type=str | None, metavar="NAME", group=WHAT, help="the first unless it is named")
    parser.add_option("--class_name", type=str | None, metavar="WORD", group=WHAT,
                      help="class whose probability is explained; the predicted one unless it is named")  # fmt: skip
    parser.add_option("--molecules", type=int, default=MOST, metavar="N", group=WHAT, help="explain the first N")
    parser.add_option("--output", type=str | None, metavar="FILE", group=OUTPUT,
                      help="page (.html), .json, .csv (a row for each atom), or a folder of pictures; "
                      "NAME.explained.html unless it is named")  # fmt: skip
    parser.add_option("--pictures", choices=["png", "svg"], default="png", group=OUTPUT, help="format, for a folder")
    add_reading(parser, ("smiles_column", "separator", "encoding"))
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    return parser
