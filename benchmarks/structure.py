"""Shape of the code, read from its syntax trees: rooms, arrows, circles, chains, and the length of functions.

    python benchmarks/structure.py [CHECKOUT ...]

One JSON line for each checkout (default: this one). A room is a folder of the packages; modules that lie loose in
`zoo/` count as a room each, since nothing groups them. Imports inside functions and for the type checker count.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

PACKAGES = ("featurizers", "optim", "zoo")
Arrows = dict[str, set[str]]


def modules_of(checkout: Path) -> dict[str, Path]:
    """Dotted name and file of every module."""
    files = [path for package in PACKAGES for path in sorted((checkout / package).rglob("*.py"))]
    return {".".join(p.relative_to(checkout).with_suffix("").parts).removesuffix(".__init__"): p for p in files}


def imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """Our own modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & modules.keys()) or {node.module}
    return found & modules.keys()


def room_of(module: str, modules: dict[str, Path]) -> str:
    """The folder of a module; a module that lies loose in `zoo/` is its own."""
    if modules[module].name == "__init__.py" or module.count(".") == 0:
        return module
    folder = module.rpartition(".")[0]
    return module if folder == "zoo" else folder


def arrows_between(names: dict[str, str], imports: Arrows) -> Arrows:
    """Imports between groups, given the group of each module."""
    arrows: Arrows = {name: set() for name in names.values()}
    for module, targets in imports.items():
        arrows[names[module]] |= {names[target] for target in targets} - {names[module]}
    return arrows


def circles(arrows: Arrows) -> list[list[str]]:
    """Groups of two and more that import each other (strongly connected components)."""
    reach = {name: reachable(name, arrows) for name in arrows}
    groups = {frozenset({a, *(b for b in reach[a] if a in reach[b])}) for a in arrows}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def reachable(name: str, arrows: Arrows) -> set[str]:
    """Everything that a name imports, directly or not."""
    seen: set[str] = set()
    waiting = list(arrows[name])
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            waiting += arrows[found]
    return seen


def longest_chain(arrows: Arrows) -> list[str]:
    """Modules of the longest chain of imports, the importer first; circles are cut where they are met."""
    chains: dict[str, list[str]] = {}

    def chain(name: str, above: frozenset[str]) -> list[str]:
        if name not in chains:
            inner = [chain(other, above | {name}) for other in sorted(arrows[name]) if other not in above | {name}]
            chains[name] = [name, *max(inner, key=len, default=[])]
        return chains[name]

    return max((chain(name, frozenset()) for name in sorted(arrows)), key=len)


def function_lengths(paths: Iterator[Path]) -> list[int]:
    """Lines of every function, docstring included."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(n.end_lineno or n.lineno) - n.lineno + 1 for t in trees for n in ast.walk(t) if isinstance(n, functions)]


def measure(checkout: Path) -> dict[str, object]:
    """Every figure of one checkout."""
    modules = modules_of(checkout)
    imports = {name: imported(path, modules) for name, path in modules.items()}
    rooms = arrows_between({name: room_of(name, modules) for name in modules}, imports)
    lengths = function_lengths(iter(modules.values()))
    return {
        "checkout": checkout.resolve().name,
        "modules": len(modules),
        "rooms": len(rooms),
        "arrows": sum(map(len, rooms.values())),
        "circles": circles(imports),
        "longest_chain": len(chain := longest_chain(imports)),
        "chain": chain,
        "loose_in_zoo": sum(path.parent.name == "zoo" and not path.name.startswith("__") for path in modules.values()),
        "functions": len(lengths),
        "function_lines": [int(median(lengths)), round(quantiles(lengths, n=10)[-1]), max(lengths)],
    }


if __name__ == "__main__":
    for argument in sys.argv[1:] or [Path(__file__).parents[1]]:
        print(json.dumps(measure(Path(argument))))
