"""`molzoo serve RUN [RUN ...]`."""

from __future__ import annotations

import importlib.util
import logging
import sys
from typing import TYPE_CHECKING

from zoo.commands.parser import CommandParser

if TYPE_CHECKING:
    from zoo.serving.service import Service

DESCRIPTION = """Serve trained models: a page for browsers, and an HTTP interface described at /docs.

examples:
  molzoo serve runs/b3db-grover-graphsam-seed0
  molzoo serve runs/gcn runs/grover --port 9000
  MOLZOO_TOKEN=$(openssl rand -hex 16) molzoo serve runs/gcn --host 0.0.0.0
  curl -H 'Content-Type: application/json' -d '{"molecules": ["CCO"]}' localhost:8000/api/predict

Only this machine reaches the server unless --host says otherwise. Ctrl-C or SIGTERM stops it."""

NEEDED = ("fastapi", "uvicorn")
GROUPS = {"max_rows": "limits", "max_molecules": "limits", "max_atoms": "limits", "max_megabytes": "limits",
          "seconds": "limits", "max_jobs": "limits", "keep_minutes": "limits", "patience": "limits",
          "processes": "models", "device": "models", "batch_size": "models"}  # fmt: skip


def main(arguments: list[str]) -> None:
    """Serve until a signal stops it."""
    from zoo.serving.options import ServeOptions

    parser = CommandParser(prog="molzoo serve", description=DESCRIPTION)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs, checkpoints or ensembles")
    parser.add_fields(ServeOptions, None, lambda name: GROUPS.get(name, "address"), skip=("trust", "allowed_hosts"))
    parser.add_option("--allowed_hosts", nargs="*", default=[], metavar="NAME", group="address",
                      help="names by which browsers may call the server, besides localhost and addresses")  # fmt: skip
    parser.add_trust()
    given = vars(parser.parse_command(arguments))
    runs = given.pop("runs")
    options = ServeOptions(**{**given, "allowed_hosts": tuple(given["allowed_hosts"])})
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"a server needs {' and '.join(missing)}: pip install 'molzoo[serve]'")
    logging.basicConfig(level=logging.WARNING, format="molzoo: %(levelname)s: %(message)s", stream=sys.stderr)

    from zoo.serving import serve

    print(f"loading {len(runs)} run{'s' if len(runs) > 1 else ''} ...", file=sys.stderr)
    serve(runs, options, say_where)
    print("stopped", file=sys.stderr)


def say_where(address: str, service: Service) -> None:
    """Print the address and what is served there."""
    for name, facts in service.facts.items():
        print(f"{name}: {facts['model']}, predicts {', '.join(facts['tasks'][:6])}")
    print(f"{address}      (interface: {address}/docs)", flush=True)
    if not service.options.is_local and service.options.read_token() is None:
        print("note: every machine that reaches this one may use it: set MOLZOO_TOKEN to ask for a token",
              file=sys.stderr)  # fmt: skip
