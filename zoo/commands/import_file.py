"""`molzoo import FILE`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Open a checkpoint of another project and write it as a folder of molzoo: weights as safetensors,
options as JSON. Known are GROVER (pre-trained and fine-tuned), KERMT, chemprop 2 and CheMeleon.

Nothing in the file is executed: it is read by an unpickler that builds tensors and plain containers only, and refuses
every other name.

examples:
  molzoo import grover_base.pt --output grover-base
  molzoo import model_0.pt --output admet
  molzoo predict admet molecules.csv --output predicted.csv"""


def main(arguments: list[str]) -> None:
    """Write the checkpoint and say what it holds."""
    parser = CommandParser(prog="molzoo import", description=DESCRIPTION)
    parser.add_argument("file", help="checkpoint: .pt, .pth or .ckpt")
    parser.add_option("--output", type=str | None, metavar="DIR", help="new folder; default: the file's name")
    options = parser.parse_command(arguments)

    from zoo.importing import read_foreign, write_foreign

    source = Path(options.file)
    output = Path(options.output or source.stem)
    foreign = read_foreign(source)
    learner = write_foreign(foreign, source, output)
    fitted = learner.fitted
    print(f"origin     {foreign.origin}")
    print(f"model      {foreign.model}, {learner.num_parameters:,} parameters, featurizer {foreign.featurizer}")
    print(f"tasks      {describe_tasks(fitted)}")
    if foreign.model == "grover" and foreign.model_args["hidden_size"] in (800, 1200):
        print(f"check      molzoo verify {output}")
    for note in foreign.notes:
        print(f"note       {note}")
    print(f"written    {output}")


def describe_tasks(fitted) -> str:
    """Return the kind and the names of the targets, or what the checkpoint lacks."""
    if fitted.untrained:
        return "none: an encoder without a trained head, for fine-tuning and embeddings"
    names = ", ".join(fitted.output_names[:5]) + (", ..." if fitted.num_tasks > 5 else "")
    return f"{fitted.num_tasks} {fitted.task}: {names}"
