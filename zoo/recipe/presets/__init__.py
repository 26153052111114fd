"""Named recipes: models with an optimizer and a training schedule to begin with, as YAML files next to this module.

Those of GROVER and CoMPT have the sizes and the learning rate of benchmarks/graphsam.yaml. There the validation part
preferred GROVER's fixed depth to drawn ones in 6 of 6 data sets, and the paper's options of GraphSAM, as GROVER has, to
the released rule in 10 of 12 combinations of data set and model (and plain Adam to GraphSAM in 11). CoMPT has no
dropout, as stage B of benchmarks/pays prefers; keeps an average of its weights, which is ahead at the last epochs of
stage B and, barely, on the test parts of stage E; and has the rule of one pass that was ahead of the published one in
stage E, chosen after that, though it gains nothing over Adam: docs/does_it_pay.md. D-MPNN's are from
benchmarks/pays/recipes_dmpnn.yaml, and recipes_grover.yaml beside it found nothing better for GROVER. The others are
starting points from the papers' settings.
`molzoo tune` searches for your data.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from zoo.recipe.recipe import Recipe
from zoo.registry.registry import UnknownName


def list_recipes() -> dict[str, str]:
    """Return names and purposes (the comment at the head of its file).

    Example:
        >>> list_recipes()["random-forest"]
        'Random forest on ECFP4, the baseline to beat on small sets.'
    """
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml")]
    lines = {file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8").partition("\n")[0] for file in files}
    return {name: lines[name].removeprefix("# ") for name in sorted(lines)}


def find(name_or_path: str | Path) -> Recipe:
    """The recipe of a name, or of a file (JSON or YAML) where there is no such name.

    Raises:
        UnknownName: Neither; the message has the closest name and all of them.
        TypeError: A file with a field that recipes do not have.

    Example:
        >>> find("grover-graphsam").optimizer
        'graphsam'
    """
    known = list_recipes()
    name = str(name_or_path).lower().replace("_", "-")
    if name in known:
        with resources.as_file(resources.files(__name__) / f"{name}.yaml") as path:
            return Recipe.read(path)
    if Path(name_or_path).is_file():
        return Recipe.read(name_or_path)
    if Path(name_or_path).suffix:
        raise FileNotFoundError(f"recipe file {name_or_path} does not exist; named recipes are {', '.join(known)}")
    raise UnknownName("recipe", str(name_or_path), list(known))
