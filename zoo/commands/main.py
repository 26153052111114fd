"""`molzoo`: the command line. Each command is a module of `zoo.commands`, imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from zoo.data.errors import printable
from zoo.runs.lifetime import Stopped, stop_on_signals
from zoo.runs.process import tune_process

COMMANDS = {
    "train": "train, validate and test a model (no arguments: GROVER with GraphSAM on the embedded B3DB)",
    "predict": "predict the molecules of a file: same rows, same order",
    "evaluate": "metrics of a trained model on a data set",
    "sharpness": "how sharp the minimum of a trained model is, with a picture of the loss landscape",
    "benchmark": "models x optimizers x data sets x seeds, resumable, on several processes",
    "report": "tables and figures of a benchmark, as HTML and Markdown",
    "tune": "search hyperparameters on the validation part",
    "list": "models, optimizers and featurizers",
    "describe": "reference, options and defaults of one of them",
    "data": "say how a file of molecules is understood, before anyone trains",
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
    """What `molzoo --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return HELP.format(commands="\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; leaves with status 2 and one line on standard error for a user's mistake."""
    warnings.showwarning = warn
    tune_process()
    try:
        with stop_on_signals():
            run(list(sys.argv[1:] if arguments is None else arguments))
    except Stopped as stopped:
        print(f"stopped by {stopped}", file=sys.stderr)
        raise
    except KeyboardInterrupt:
        print("\nstopped; a run with a folder continues with: molzoo train --resume FOLDER", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:  # of `molzoo ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, TypeError, LookupError, OSError, ImportError) as error:
        if os.environ.get("MOLZOO_TRACEBACK"):
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"molzoo: error: {printable(message)}", file=sys.stderr)
        raise SystemExit(2) from None


def run(arguments: list[str]) -> None:
    """Find the command and call it."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(help_text(), flush=True)
    elif arguments[0] == "--version":
        from importlib.metadata import version

        print(f"molzoo {version('molzoo')}")
    elif arguments[0] in COMMANDS:
        importlib.import_module(f"zoo.commands.{arguments[0]}").main(arguments[1:])
    else:
        from zoo.registry.registry import UnknownName

        raise UnknownName("command", arguments[0], list(COMMANDS))


def warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print what a user should know in one line; deprecations are for developers."""
    if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        print(f"molzoo: warning: {printable(' '.join(str(message).split()))}", file=sys.stderr)


if __name__ == "__main__":
    main()
