"""`molzoo verify RUN`."""

from __future__ import annotations

from pathlib import Path

from zoo.commands.parser import CommandParser

DESCRIPTION = """Check that a run is what it says: its versions, its data by their hashes, its predictions of the test
part and, unless --quick is given, a new training from its recipe, compared bit by bit.

An imported GROVER is compared with numbers of the released checkpoint of its size: whether file and code agree.

Leaves with status 1 where something differs.

examples:
  molzoo verify runs/b3db-grover-graphsam-seed0 --quick
  molzoo verify runs/esol-gcn-seed0 --data moved/esol.csv
  molzoo verify grover-base"""
SIGNS = {True: "same", False: "DIFFERENT", None: "unknown"}


def main(arguments: list[str]) -> None:
    """Print what was compared."""
    parser = CommandParser(prog="molzoo verify", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run, or of an imported checkpoint")
    parser.add_option("--quick", action="store_true", help="do not train again")
    parser.add_option("--data", type=str | None, metavar="NAME|FILE", help="new place of the run's data")
    parser.add_option("--device", default="cpu", help="cpu, cuda, cuda:1, ...; GPUs do not train bit-identically")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.runs.folder import RunFolder

    if RunFolder.of(options.run).holds_run or not (Path(options.run) / "model.safetensors").exists():
        from zoo.experiments.verifying import verify

        found = verify(options.run, quick=options.quick, data=options.data, device=options.device, trust=options.trust)
        lines = [(check.name, check.passed, check.detail) for check in found]
    else:
        lines = [compare_with_release(options.run)]
    for name, passed, detail in lines:
        print(f"{name:<12} {SIGNS[passed]:<10} {detail}")
    if any(passed is False for _, passed, _ in lines):
        raise SystemExit(1)


def compare_with_release(folder: str) -> tuple[str, bool, str]:
    """Compare an imported GROVER with the numbers of its release."""
    from zoo.importing.golden import compare_with_release
    from zoo.learners import Learner, load

    learner = load(folder, device="cpu")
    if not isinstance(learner, Learner):
        raise TypeError(f"{folder} holds no GROVER: nothing to compare with")
    found = compare_with_release(learner)
    detail = f"{found.compared} numbers of {found.name}, largest difference {found.difference:.1e}"
    return "embeddings", found.agrees, detail
