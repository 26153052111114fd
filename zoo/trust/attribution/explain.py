"""`explain`: attribution of the predictions of any trained model to the atoms and bonds of molecules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from featurizers import InvalidMolecule
from featurizers.reading import check_size, name_of, read_molecule
from zoo.data import MoleculeRows
from zoo.learners import Learner
from zoo.learners.molecule_lists import in_chunks, with_features
from zoo.learners.predictor import Predictor
from zoo.recipe.inputs import Inputs
from zoo.registry.catalog.explainers import EXPLAINERS
from zoo.registry.suggest import suggest
from zoo.trust.attribution.explanation import Explanation, Explanations
from zoo.trust.attribution.games import make_game
from zoo.trust.attribution.question import Question

MOST_ATOMS = 300
"""Larger molecules are not explained: a method predicts a molecule about as often as it has atoms."""


def explain(
    predictor: Predictor,
    molecules: Any,
    method: str | None = None,
    task: str | int | None = None,
    class_name: str | None = None,
    most: int | None = None,
    features: Any = None,
    **options: Any,
) -> Explanations:
    """Attribute the predictions of molecules to their atoms and bonds.

    Args:
        predictor: A learner, a baseline or an ensemble.
        molecules: As in `Learner.predict`.
        method: Name from `EXPLAINERS`; `None` takes "integrated_gradients" for networks, "masking" for others.
        task: Name or position of the task; `None` takes the first.
        class_name: Class whose probability is explained, where there are several; `None` takes the predicted one.
        most: Explain the first ones only; `None` explains all.
        features: As in `Learner.predict`.
        **options: Of the method.

    Raises:
        UnknownName: There is no such method.
        ValueError: No such task or class, or a method that does not fit the model.
    """
    if predictor.fitted.smiles_columns:
        raise ValueError("only learners that read one molecule in a row can be explained: train one on that column")
    if len(predictor.fitted.smiles_columns) > 1:
        raise ValueError("explanations are for rows of one molecule, and this learner reads several in each row")
    entry = EXPLAINERS[method or default_method(predictor)]
    number = find_task(predictor, task)
    compute = entry.resolve()
    molecules = with_features(molecules, features, predictor.fitted.inputs)
    found = []
    for row in islice(single_rows(molecules, predictor.fitted.inputs), most):
        facts: dict[str, Any] = {"task": predictor.fitted.output_names[number], "method": entry.name}
        try:
            refuse(row)
            found.append(explain_one(predictor, row, number, class_name, compute, options, facts))
        except InvalidMolecule as error:
            found.append(Explanation(error.molecule, class_name="", reason=error.reason, **facts))
    return Explanations(tuple(found))


def single_rows(molecules: Any, inputs: Inputs) -> Iterator[MoleculeRows]:
    """Give rows one by one, with their features."""
    for chunk in in_chunks(molecules, inputs=inputs):
        yield from chunk.chunks(1)


def refuse(row: MoleculeRows) -> None:
    """Raise an `InvalidMolecule` if a row cannot be explained, whatever the model is."""
    molecule = row.smiles[0]
    if row.reasons:
        raise InvalidMolecule(str(molecule), next(iter(row.reasons.values())))
    check_size(read_molecule(molecule), molecule, MOST_ATOMS)


def explain_one(
    predictor: Predictor,
    row: MoleculeRows,
    task: int,
    class_name: str | None,
    compute: Any,
    options: dict[str, Any],
    facts: dict[str, Any],
) -> Explanation:
    """Explain one molecule."""
    predicted = predictor.predict(row, on_invalid="raise")
    question = ask(predictor, task, class_name, predicted)
    game = make_game(predictor, row, question)
    return Explanation(
        name_of(row.smiles[0]),
        class_name=question.class_name,
        unit=game.unit,
        prediction=float(question.take(predicted)[0]),
        score=game.ends[1],
        found=compute(game, **options),
        mol=game.mol,
        bond_ends=game.bond_ends,
        **facts,
    )


def default_method(predictor: Predictor) -> str:
    """Return the method for a model that none was named for."""
    members: Any = getattr(predictor, "members", (predictor,))
    return "integrated_gradients" if all(isinstance(member, Learner) for member in members) else "masking"


def find_task(predictor: Predictor, task: str | int | None) -> int:
    """Return the position of a task.

    Raises:
        ValueError: There is no such task.
    """
    names = list(predictor.fitted.output_names)
    if task is None:
        return 0
    if isinstance(task, int) and not isinstance(task, bool) and 0 <= task < len(names):
        return task
    if task in names:
        return names.index(str(task))
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    raise ValueError(f"task={task!r} is not a task of this model.{suggest(str(task), names)} Known: {shown}")


def ask(predictor: Predictor, task: int, class_name: str | None, predicted: np.ndarray) -> Question:
    """Return the question about a task, and about a class where there are several.

    Raises:
        ValueError: There is no such class.
    """
    fitted, name = predictor.fitted, predictor.fitted.output_names[task]
    if fitted.task_kinds and predicted.shape[1] != fitted.num_tasks:
        raise ValueError("targets of several kinds with several classes are not explained: train one kind alone")
    if predicted.ndim < 3:
        if class_name is not None:
            raise ValueError(f"class_name={class_name!r}: task {name!r} has no classes to choose from; leave it out")
        return Question(task, name)
    words = [str(word) for word in fitted.label_names.get(name, ())]
    words += [str(number) for number in range(len(words), predicted.shape[2])]
    if class_name is None:
        number = int(np.nan_to_num(predicted[0, task], nan=-1.0).argmax())
    elif class_name in words:
        number = words.index(class_name)
    else:
        raise ValueError(f"class_name={class_name!r} is not a class of {name!r}: choose one of {', '.join(words)}")
    return Question(task, name, number, words[number])
