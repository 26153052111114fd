"""Arguments of classes and functions, read from their source text, without importing anything heavy.

`molzoo describe` needs names, defaults and explanations of options. Importing a model for them imports torch, which
takes seconds; its source has them too. What the source alone does not hold raises `NotInSource`.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.registry.docstrings import arguments_of

REQUIRED = inspect.Parameter.empty
Definition = ast.ClassDef | ast.FunctionDef


class NotInSource(LookupError):
    """Fact that the source text alone does not hold: a computed default, or a module without a source file."""


@dataclass(frozen=True)
class Located:
    """A class or function in the source.

    Args:
        module: Name of its module.
        node: Its syntax tree.
    """

    module: str
    node: Definition

    @property
    def docstring(self) -> str:
        """Docstring, or nothing."""
        return ast.get_docstring(self.node) or ""

    def bases(self) -> Iterator[Located]:
        """Yield the class and its base classes, nearest first, as far as their sources are at hand."""
        yield self
        for base in getattr(self.node, "bases", ()):
            name = dotted(base)
            if name is not None:
                try:
                    yield from locate(self.module, name).bases()
                except NotInSource:
                    continue

    def has_base(self, name: str) -> bool:
        """Return whether the class or one of its base classes has this name."""
        return any(base.node.name == name for base in self.bases())

    def attribute(self, name: str) -> tuple[str, ast.expr] | None:
        """Return module and value of a class attribute, from the nearest class that has it."""
        for base in self.bases():
            value = assigned(base.node.body, name)
            if value is not None:
                return base.module, value
        return None


def find(place: str) -> Located:
    """Find `"package.module:name"` in the sources.

    Raises:
        NotInSource: It is not there.

    Example:
        >>> find("zoo.registry.source:find").node.name
        'find'
    """
    module, _, name = place.partition(":")
    return locate(module, name)


def options(place: str) -> dict[str, Any]:
    """Return names and defaults of the arguments of a class or function, `REQUIRED` where there is no default.

    A class with a `config_class` accepts the fields of that dataclass. Otherwise the parameters of the constructor
    count, and where it passes `**options` on, those of its base classes too.
    """
    found = find(place)
    config = configuration(found)
    return fields(config) if config is not None else parameters(found)


def explanations(place: str) -> dict[str, str]:
    """Texts of the section "Args" by argument; what a class does not explain, its base classes do."""
    found = find(place)
    chain = list((configuration(found) or found).bases())
    return {name: text for each in reversed(chain) for name, text in arguments_of(each.docstring).items()}


def configuration(found: Located) -> Located | None:
    """The dataclass that a class names as its `config_class`, or that it is itself."""
    if not isinstance(found.node, ast.ClassDef):
        return None
    config = found.attribute("config_class")
    name = None if config is None else dotted(config[1])
    if config is not None and name is not None:
        return locate(config[0], name)
    return found if any(ast.unparse(each).startswith("dataclass") for each in found.node.decorator_list) else None


def fields(config: Located) -> dict[str, Any]:
    """Fields of a dataclass with their defaults, those of base classes first."""
    found: dict[str, Any] = {}
    for owner in reversed(list(config.bases())):
        for statement in owner.node.body:
            if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
                value = statement.value
                found[ast.unparse(statement.target)] = REQUIRED if value is None else evaluate(owner.module, value)
    return found


def parameters(found: Located) -> dict[str, Any]:
    """Named parameters of a function, or of the constructor of a class and those it passes options on to."""
    if isinstance(found.node, ast.FunctionDef):
        return signature(found.module, found.node)
    result: dict[str, Any] = {}
    for owner in found.bases():
        constructor = next(
            (s for s in owner.node.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None
        )
        if constructor is not None:
            for name, default in signature(owner.module, constructor).items():
                result.setdefault(name, default)
            if constructor.args.kwarg is None:
                break
    return result


def signature(module: str, function: ast.FunctionDef) -> dict[str, Any]:
    """Parameters of a function with their defaults, without `self`."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    given = function.args.defaults
    defaults: list[ast.expr | None] = [None] * (len(names) - len(given)) + list(given)
    names += [argument.arg for argument in function.args.kwonlyargs]
    defaults += function.args.kw_defaults
    return {
        name: REQUIRED if default is None else evaluate(module, default)
        for name, default in zip(names, defaults, strict=True)
        if name != "self"
    }


def evaluate(module: str, value: ast.expr) -> Any:
    """Value of a default: a literal, or a constant of the module.

    Raises:
        NotInSource: It is computed.
    """
    try:
        return ast.literal_eval(value)
    except ValueError:
        if isinstance(value, ast.Name):
            return constant(module, value.id)
        raise NotInSource(f"{module}: {ast.unparse(value)} is computed") from None


def constant(module: str, name: str) -> Any:
    """Value of a constant of a module, or of the module that it is imported from."""
    value = assigned(tree(module).body, name)
    if value is not None:
        return evaluate(module, value)
    source = imported(module, name)
    if source is None:
        raise NotInSource(f"{module} has no constant {name}")
    return constant(*source)


def locate(module: str, name: str) -> Located:
    """Find a class or function that a module defines or imports."""
    first, _, rest = name.partition(".")
    for statement in tree(module).body:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)) and statement.name == name:
            return Located(module, statement)
    source = imported(module, first)
    if source is None:
        raise NotInSource(f"{module} has no {name}")
    if rest:
        return locate(".".join(source), rest)
    return locate(*source)


def imported(module: str, name: str) -> tuple[str, str] | None:
    """Module and name that a name was imported from."""
    package = module if path(module).stem == "__init__" else module.rpartition(".")[0]
    for statement in tree(module).body:
        if isinstance(statement, ast.ImportFrom):
            parent = package.split(".")[: len(package.split(".")) + 1 - statement.level] if statement.level else []
            origin = ".".join([*parent, *filter(None, [statement.module])])
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return origin, alias.name
    return None


def assigned(body: list[ast.stmt], name: str) -> ast.expr | None:
    """Value that statements assign to a name, or None."""
    for statement in body:
        targets: list[ast.expr] = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and any(
            isinstance(target, ast.Name) and target.id == name for target in targets
        ):
            return statement.value
    return None


def dotted(node: ast.expr) -> str | None:
    """A name such as `nn.Module`, without its type arguments; None for what is not a name."""
    text = ast.unparse(node.value if isinstance(node, ast.Subscript) else node)
    return text if all(part.isidentifier() for part in text.split(".")) else None


@functools.cache
def tree(module: str) -> ast.Module:
    """Syntax tree of a module; a lazy package counts by its stub."""
    file = path(module)
    stub = file.with_suffix(".pyi")
    return ast.parse((stub if file.stem == "__init__" and stub.exists() else file).read_text(encoding="utf-8"))


@functools.cache
def path(module: str) -> Path:
    """File of a module; no package is imported to find it.

    Raises:
        NotInSource: There is none.
    """
    first, *rest = module.split(".")
    found = importlib.util.find_spec(first)
    for folder in (found and found.submodule_search_locations) or ():
        place = Path(folder, *rest)
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return file
    raise NotInSource(f"no source file of {module}")
