"""The child process of `featurizers.guard`: reads molecules and dies where RDKit does, or when its time is up.

Its input has a molecule on each line, base64 of "s" and a SMILES or of "m" and RDKit's binary form; its output an empty
line where that can be read, else the reason. It ends with its input, so that it does not outlive its parent.
"""

from __future__ import annotations

import base64
import signal
import sys

from rdkit import Chem

from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.reading import MOST_ATOMS, read_here


def try_to_read(content: bytes) -> str:
    """Read a molecule and put its atoms in order, as every use of it does; return "" or why that fails."""
    try:
        mol = read_here(content[1:].decode(errors="surrogatepass") if content[:1] == b"s" else Chem.Mol(content[1:]))  # type: ignore[call-overload]
        if mol.GetNumAtoms() <= MOST_ATOMS:
            Chem.MolToSmiles(mol)
    except InvalidMolecule as error:
        return error.reason
    except FAILURES as error:
        return f"RDKit cannot read it: {why_failed(error)}"
    return ""


def main() -> None:
    """Answer line by line; the first argument is the limit of each molecule in seconds."""
    seconds = float(sys.argv[1])
    for line in sys.stdin.buffer:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, seconds)  # nothing handles its signal, which ends C++ code too
        answer = try_to_read(base64.b64decode(line))
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(answer.replace("\n", " ") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
