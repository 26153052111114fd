"""Options of a server: where it listens, who may ask, and how much."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TOKEN = "MOLZOO_TOKEN"
"""Variable of the environment with the token."""
SHORTEST_TOKEN = 16
LEAST = {"port": 0, "max_rows": 1, "max_molecules": 1, "max_atoms": 1, "max_megabytes": 1, "max_jobs": 1}


@dataclass(frozen=True)
class ServeOptions:
    """Options of a server.

    Args:
        host: Address to listen on; other machines reach a server on 0.0.0.0 or on an address of this one.
        port: 0 takes a free one.
        allowed_hosts: Names by which browsers may call the server, besides localhost and addresses.
        token_file: File with a token of at least 16 characters that clients must give; the environment's MOLZOO_TOKEN
            is the other way to set one.
        max_rows: Rows of an upload.
        max_molecules: Molecules of a single request without a job.
        max_atoms: Heavy atoms of a molecule; a larger one is a row without a prediction.
        max_megabytes: Size of an upload.
        seconds: Time for 1,000 molecules, or for one explanation; the process that takes longer is started anew.
        max_jobs: Jobs at a time, finished ones that are kept among them.
        keep_minutes: Time that a finished job is kept after it was last asked for.
        patience: Seconds after which a job that nobody asks about is cancelled.
        processes: Of each run, which answer so many requests at a time; None takes one for each core that the runs can
            have on a CPU, at most 4, and one on a GPU.
        device: "auto" takes a GPU where there is one; "cpu", "cuda", "cuda:1", ...
        batch_size: Molecules in a batch of the model; None as in `molzoo predict`.
        trust: As in `zoo.load`.

    Raises:
        ValueError: A number out of its range, or a token that is too short.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    token_file: str | None = None
    max_rows: int = 50_000
    max_molecules: int = 10_000
    max_atoms: int = 500
    max_megabytes: float = 20
    seconds: float = 120
    max_jobs: int = 8
    keep_minutes: float = 15
    patience: float = 60
    processes: int | None = None
    device: str = "auto"
    batch_size: int | None = None
    trust: bool = False

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: give a number of at least {least}")
        if self.processes is not None and self.processes < 1:
            raise ValueError(f"processes={self.processes}: give a number of at least 1")
        for name in ("seconds", "keep_minutes", "patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)}: give a number above 0")
        if not self.port < 65536:
            raise ValueError(f"port={self.port}: give a number below 65,536")

    @property
    def max_bytes(self) -> int:
        """Size of an upload in bytes."""
        return int(self.max_megabytes * 1e6)

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def read_token(self) -> str | None:
        """Return the token, None where none is asked for.

        Raises:
            ValueError: It has fewer than 16 characters.
            OSError: The file cannot be read.
        """
        place = "the token of " + (self.token_file or f"the variable {TOKEN}")
        text = Path(self.token_file).expanduser().read_text("utf-8") if self.token_file else os.environ.get(TOKEN, "")
        token = text.strip()
        if not token and not self.token_file:
            return None
        if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
            raise ValueError(f"{place} has {len(token)} characters: give at least {SHORTEST_TOKEN} ASCII characters")
        return token
