"""Writing a checkpoint of another project as one of ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.importing.chemprop import from_chemeleon, from_chemprop, is_chemeleon, is_chemprop
from zoo.importing.foreign import ForeignCheckpoint
from zoo.importing.golden import check_released
from zoo.importing.grover import from_grover, is_grover
from zoo.importing.pickled import read_pickled
from zoo.learners import Learner, assemble
from zoo.recipe.recipe import Recipe
from zoo.runs.checkpoint import CheckpointError

READERS = ((is_chemprop, from_chemprop), (is_chemeleon, from_chemeleon), (is_grover, from_grover))


def read_foreign(path: str | Path) -> ForeignCheckpoint:
    """Read a checkpoint of GROVER, KERMT, chemprop 2 or CheMeleon; nothing in it is executed.

    Args:
        path: A `.pt`, `.pth` or `.ckpt` file.

    Raises:
        CheckpointError: It is damaged, refused because it could run code, or of another project.
    """
    path = Path(path)
    content = read_pickled(path)
    known = check_released(path)
    for fits, translate in READERS:
        if fits(content):
            foreign = translate(path, content)
            return replace(foreign, notes=(*known, *foreign.notes))
    held = ", ".join(sorted(map(str, content))[:6])
    raise CheckpointError(
        f"{path} is not a checkpoint of GROVER, KERMT, chemprop 2 or CheMeleon (it holds {held[:120]}); one of molzoo "
        "is a folder and needs no import"
    )


def import_checkpoint(path: str | Path, output: str | Path, *, released_padding: bool = False) -> Learner:
    """Write a checkpoint of another project as a folder that `zoo.load` and every command read.

    Args:
        path: A `.pt`, `.pth` or `.ckpt` file of GROVER, KERMT, chemprop 2 or CheMeleon.
        output: Folder to write; it must not exist.
        released_padding: Let GROVER predict exactly as its released code does, padding included: predictions then
            depend on the other molecules of the batch.

    Returns:
        The learner, on the CPU. One without a trained head embeds molecules and is fine-tuned, and refuses to predict.

    Raises:
        CheckpointError: The file cannot be read or its model cannot be rebuilt.
        FileExistsError: `output` exists.
    """
    foreign = read_foreign(path)
    if released_padding:
        if foreign.model != "grover":
            raise CheckpointError(f"{path}: only GROVER has released padding, this is {foreign.origin}")
        foreign = replace(foreign, model_args={**foreign.model_args, "released_padding": True})
    return write_foreign(foreign, path, output)


def write_foreign(foreign: ForeignCheckpoint, path: str | Path, output: str | Path) -> Learner:
    """Write what `read_foreign` gave; otherwise as `import_checkpoint`."""
    if Path(output).exists():
        raise FileExistsError(f"{output} exists: name a new folder with --output")
    learner = rebuild(foreign, Path(path))
    learner.save(output)
    return learner


def rebuild(foreign: ForeignCheckpoint, path: Path) -> Learner:
    """Build the learner that a checkpoint of another project describes.

    Args:
        foreign: The checkpoint.
        path: Where it was read, for messages.

    Raises:
        CheckpointError: The weights do not fit the options.
    """
    recipe = Recipe(
        foreign.model,
        featurizer=foreign.featurizer,
        num_tasks=foreign.num_tasks,
        task=foreign.task,
        task_args=foreign.task_args,
        model_args=foreign.model_args,
        featurizer_args=foreign.featurizer_args,
    )
    try:
        learner = assemble(recipe, device="cpu")
        if not isinstance(learner, Learner):
            raise TypeError(f"{foreign.model} has no weights")
        missing, unexpected = learner.model.load_state_dict(dict(foreign.weights), strict=False)
    except (RuntimeError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: weights and options contradict each other: {shorten(error)}") from error
    missing = [name for name in missing if name.partition(".")[0] not in foreign.untrained]
    if missing or unexpected:
        raise CheckpointError(f"{path}: {len(missing)} weights are missing and {len(unexpected)} do not fit: "
                              f"{', '.join([*missing, *unexpected][:3])}")  # fmt: skip
    learner.fitted = replace(
        learner.fitted,
        task_names=foreign.task_names,
        target_scaling=foreign.target_scaling,
        untrained=foreign.untrained,
    )
    learner.model.eval()
    return learner


def shorten(error: Exception) -> str:
    """Return the text of an error in one line of at most 200 letters."""
    return " ".join(str(error).split())[:200]
