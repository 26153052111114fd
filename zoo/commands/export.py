"""`molzoo export RUN FILE`."""

from __future__ import annotations

from zoo.commands.parser import CommandParser

DESCRIPTION = """Write a trained model as one file that takes SMILES, for machines without molzoo and torch.

  model.zip   graph, features, scaling, calibration, words of the classes, card: for molzoo_runner
  model.onnx  one graph, its manifest as metadata: for programs that run ONNX, and molzoo_runner
  model.pt2   a program of torch.export

examples:
  molzoo export runs/b3db-grover-graphsam-seed0 b3db.zip
  python -m molzoo_runner b3db.zip molecules.csv --output predicted.csv"""


def main(arguments: list[str]) -> None:
    """Write the file and say what it holds."""
    parser = CommandParser(prog="molzoo export", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run, a checkpoint or an ensemble")
    parser.add_argument("file", help="new file: .zip, .onnx or .pt2")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.exporting import export_model
    from zoo.learners.loading import load

    found = export_model(load(options.run, device="cpu", trust=options.trust), options.file)
    manifest = found.manifest
    models = ", ".join(dict.fromkeys(member.model for member in manifest.members))
    names = [task.name for task in manifest.tasks]
    print(f"model      {models}" + f", {len(manifest.members)} members" * (len(manifest.members) > 1))
    print(f"tasks      {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}")
    print(f"written    {found.path}: {found.size:,} bytes")
    if found.path.suffix != ".pt2":
        print(f"use        python -m molzoo_runner {found.path} molecules.csv --output predicted.csv")
