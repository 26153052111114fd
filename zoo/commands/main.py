"""`molzoo`: the command line. Each command is a module of `zoo.commands`, imported when it is called."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from zoo.commands.streams import lasting_streams
from zoo.data.errors import printable
from zoo.runs.lifetime import Stopped, stop_on_signals
from zoo.runs.process import tune_process

COMMANDS = {
    "train": "train, validate and test a model (no arguments: GROVER with GraphSAM on the embedded B3DB)",
    "predict": "predict the molecules of a file: same rows, same order",
    "evaluate": "metrics of a trained model on a data set",
    "calibrate": "make a trained model's probabilities, deviations and intervals true, on its validation part",
    "card": "one page that tells whether a trained model can be trusted, and where not",
    "serve": "a page and an HTTP interface for trained models",
    "explain": "which atoms and bonds predictions come from, as a page, JSON or pictures",
    "sharpness": "how sharp the minimum of a trained model is, with a picture of the loss landscape",
    "benchmark": "models x optimizers x data sets x seeds, resumable, on several processes",
    "report": "tables and figures of a benchmark, as HTML and Markdown",
    "tune": "search hyperparameters on the validation part",
    "pretrain": "train an encoder on molecules without labels, for fine-tuning",
    "embed": "what a model makes of molecules before its head, as a table of vectors",
    "verify": "train a run again, or compare its data and predictions: are the numbers the same here?",
    "import": "open a checkpoint of GROVER, KERMT or chemprop 2 safely, and write it as molzoo's",
    "export": "write a trained model as one file that takes SMILES: ONNX, for machines without molzoo and torch",
    "list": "models, optimizers, featurizers, recipes, data sets, splits, metrics, kinds of target",
    "describe": "reference, options and defaults of one of them, explained",
    "data": "report how a file of molecules is understood, before training",
}

MODULES = {"import": "import_file"}
"""Modules of commands whose names Python reserves."""

# Commands whose work is in files, and what to do after they were stopped.
GOES_ON = {
    "train": "a run with a folder continues with: molzoo train --resume FOLDER",
    "predict": "the same command continues where it stopped",
    "pretrain": "a run with a folder continues with: molzoo pretrain CORPUS --resume FOLDER",
    "benchmark": "the same command continues",
    "tune": "the same command continues",
    "report": "",
}

HELP = """molzoo: a modular zoo of molecular graph transformers with sharpness-aware training

usage: molzoo COMMAND [options]        molzoo COMMAND --help

{commands}

examples:
  molzoo train
  molzoo train --data esol --model grover --optimizer graphsam --seeds 0 1 2
  molzoo train --data my.csv --tasks logS --task regression --split scaffold --epochs 30
  molzoo predict runs/b3db-grover-graphsam-seed0 molecules.csv --output predicted.csv
  molzoo describe graphsam

Set MOLZOO_TRACEBACK=1 to see where an error came from."""


def help_text() -> str:
    """Return the text of `molzoo --help`."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return HELP.format(commands="\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    Leaves with status 2 and one line on standard error for a user's mistake or a fault of the machine, with 1 and a
    short report for a fault of ours, with 130 after Ctrl-C, with 128 and more after a signal, and with 141 where a
    command that only prints lost its reader.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    warnings.showwarning = warn
    tune_process()
    with lasting_streams() as output:
        try:
            with stop_on_signals():
                run(words)
        except Stopped as stopped:
            print(f"stopped by {stopped}{advice(words)}", file=sys.stderr)
            raise
        except SystemExit as stop:
            output.flush()
            if stop.code or output.failure is None:
                raise
        except KeyboardInterrupt:
            print(f"\nstopped{advice(words)}", file=sys.stderr)
            raise SystemExit(130) from None
        except Exception as error:
            if os.environ.get("MOLZOO_TRACEBACK"):
                raise
            from zoo.commands.faults import find_fault

            fault = find_fault(error, words)
            print(fault.message, file=sys.stderr)
            raise SystemExit(fault.status) from None
        finally:
            output.flush()
            if arguments is None:  # the process ends, and would look through all modules for garbage
                gc.freeze()
    if output.failure is not None:
        leave_without_reader(output.failure, words)


def leave_without_reader(failure: OSError, words: list[str]) -> None:
    """End a command whose output was lost: quietly where its work is in files, else with a status that says so."""
    broken = isinstance(failure, BrokenPipeError)
    if not broken:
        print(f"molzoo: error: standard output: {failure.strerror}: not everything was printed", file=sys.stderr)
    if not words or words[0] not in GOES_ON:
        raise SystemExit(141 if broken else 2)


def advice(words: list[str]) -> str:
    """Return the advice for continuing a stopped command, if it can continue."""
    text = GOES_ON.get(words[0] if words else "")
    return f"; {text}" if text else ""


def run(arguments: list[str]) -> None:
    """Find the command and call it."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(help_text(), flush=True)
    elif arguments[0] == "--version":
        print(version_text())
    elif arguments[0] in COMMANDS:
        importlib.import_module(f"zoo.commands.{MODULES.get(arguments[0], arguments[0])}").main(arguments[1:])
    else:
        from zoo.registry.registry import UnknownName

        raise UnknownName("command", arguments[0], list(COMMANDS))


def version_text() -> str:
    """Return the version and the backend of graphs."""
    import zoo
    from featurizers.backend import dgl

    return f"molzoo {zoo.__version__} ({'TensorGraph, without DGL' if dgl is None else f'DGL {dgl.__version__}'})"


def warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning in one line; deprecations are for developers."""
    if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        print(f"molzoo: warning: {printable(' '.join(str(message).split()))}", file=sys.stderr)


if __name__ == "__main__":
    main()
