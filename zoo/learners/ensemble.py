"""`Ensemble`: several trained learners that predict together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from featurizers import Featurizer, PackedMolecules
from zoo.data.arrays import Floats
from zoo.data.features import Packed
from zoo.learners.decisions import decide_classes, mean_thresholds
from zoo.learners.encoding import encode_chunks_for_all
from zoo.learners.molecule_lists import index_of
from zoo.learners.predictions import Predictions, with_reasons
from zoo.learners.predictor import Predictor
from zoo.recipe.fitted import Fitted
from zoo.registry import kinds
from zoo.runs.ensemble_folder import MOST_MEMBERS, is_positive, write_ensemble


class Ensemble(Predictor):
    """Learners of any architecture that predict the same tasks, as one.

    A prediction is the weighted mean of the members' predictions: of probabilities, or of values in the targets' unit.
    Its spread is their standard deviation with one degree of freedom less than members (`ddof=1`); with weights w that
    sum to 1 the divisor is 1 - sum(w²), which is the same for equal weights. A molecule that a member cannot predict
    has no prediction, since a mean over other members would be another model.

    Args:
        members: Trained learners, baselines or ensembles; the members of an ensemble take its place and share its
            weight.
        weights: One number above 0 for each, in any unit; `None` weights all alike.

    Attributes:
        members: The learners, as a tuple.
        weights: Their weights, which sum to 1.
        recipe: The first member's, as it was trained, which names the data.

    Raises:
        ValueError: No members, other tasks, classes or words than the first one's, or impossible weights.
    """

    def __init__(self, members: Sequence[Predictor], weights: Sequence[float] | None = None) -> None:
        self.members, self.weights = flatten(list(members), weights)
        first = self.members[0]
        for number, member in enumerate(self.members[1:], start=1):
            require_same_tasks(first, member, number)
        cuts = mean_thresholds([member.fitted for member in self.members], self.weights)
        plain = replace(first.fitted, model=None, featurizer=None, target_scaling=None, calibration={})
        plain = replace(plain, feature_scaling=None, thresholds=cuts)  # each member scales its features itself
        super().__init__(first.request, plain, first.featurizer)
        self._groups = group_by_featurizer(self.members)

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(member.recipe.model for member in self.members))
        return f"Ensemble({len(self.members)} members: {names}; {self.fitted.num_tasks} {self.fitted.task} task(s))"

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters of all members."""
        return sum(member.num_parameters for member in self.members)

    @property
    def encoding_workers(self) -> int:
        """Processes that encode molecules while the models predict others: as many as any member asks for."""
        return max(member.encoding_workers for member in self.members)

    @property
    def shares_parts(self) -> bool:
        """Whether all members were trained on the same data, cut in the same way."""
        asked = [member.request for member in self.members]
        seeds = {
            each.data.split_seed if each.data and each.data.split_seed is not None else each.seed for each in asked
        }
        return len(seeds) == 1 and all(each.data == asked[0].data for each in asked)

    def plain_predictions(self, molecules: object, batch_size: int | None, on_invalid: str) -> Predictions:
        """Predict molecules, with the spread over the members; arguments as in `predict`.

        Every molecule is read once, and encoded once for each different featurizer.
        """
        if on_invalid not in ("nan", "raise"):
            raise ValueError(f"on_invalid={on_invalid!r}: choose 'nan' or 'raise'")
        featurizers = [self.members[group[0]].featurizer for group in self._groups]
        values: list[np.ndarray] = []
        reasons: list[str] = []
        for encoded in encode_chunks_for_all(
            featurizers, molecules, on_invalid, self.encoding_workers, self.fitted.inputs
        ):
            values.append(self._predict_chunk([part[:2] for part in encoded], len(encoded[0][2]), batch_size))
            reasons += [next(filter(None, why), "") for why in zip(*(part[2] for part in encoded), strict=True)]
        together = np.concatenate(values, axis=1) if values else self._predict_nothing(featurizers, batch_size)
        mean, spread = combine(together, np.asarray(self.weights))
        why = with_reasons(mean, np.array(reasons, dtype=object))
        classes = decide_classes(mean, self.fitted)
        return Predictions(
            mean, why, self.fitted.column_names, spread=spread, index=index_of(molecules), classes=classes
        )

    def predict_packed(self, packed: PackedMolecules, batch_size: int | None = None) -> Floats:
        """Predictions (n, T) of molecules that are featurized already.

        Raises:
            TypeError: The members have different featurizers.
        """
        if len(self._groups) > 1:
            raise TypeError(f"the members have {len(self._groups)} different featurizers: give SMILES to `predict`")
        found = np.stack([member.predict_packed(packed, batch_size) for member in self.members])
        return combine(found, np.asarray(self.weights))[0]

    def complete(self, packed: Packed) -> Packed:
        """Return the molecules as they are: each member scales features as in its own training."""
        return packed

    def embed(self, molecules: object, **options: Any) -> NoReturn:
        """Refuse: vectors of different members have different meanings, so that their mean has none.

        Raises:
            TypeError: Always; the message has the remedy.
        """
        raise TypeError(
            "an ensemble gives no embedding: the vectors of its members have different meanings; take those of one "
            "member, such as ensemble.members[0].embed(molecules)"
        )

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `zoo.load` reads: `ensemble.json` and a checkpoint for each member."""
        write_ensemble(path, [member.save for member in self.members], self.weights, self.fitted.calibration)

    def _predict_chunk(
        self, encoded: Sequence[tuple[np.ndarray, PackedMolecules | None]], size: int, batch_size: int | None
    ) -> np.ndarray:
        """Predictions of the members (M, n, ...) for one chunk, NaN where one cannot predict."""
        found: list[Any] = [None] * len(self.members)
        for group, (rows, packed) in zip(self._groups, encoded, strict=True):
            for number in group:
                found[number] = rows, predict_some(self.members[number], packed, batch_size)
        shape, kind = found[0][1].shape[1:], np.result_type(*(values.dtype for _, values in found))
        together = np.full((len(found), size, *shape), np.nan, kind)
        for number, (rows, values) in enumerate(found):
            together[number, rows] = values[: len(rows)]
        return together

    def _predict_nothing(self, featurizers: Sequence[Featurizer], batch_size: int | None) -> np.ndarray:
        """Predictions (M, 0, ...) of no molecules, in their shape and type."""
        return self._predict_chunk([(np.empty(0, np.int64), None)] * len(featurizers), 0, batch_size)


def ensemble(learners: Sequence[Predictor], weights: Sequence[float] | None = None) -> Ensemble:
    """Let trained learners predict together; see `Ensemble`.

    Args:
        learners: Of any architectures, for the same tasks; baselines and ensembles too.
        weights: One number above 0 for each; `None` weights all alike.

    Example:
        >>> import zoo
        >>> both = zoo.ensemble([zoo.build("gcn"), zoo.build("gin")])
        >>> both.predict(["CCO", "c1ccccc1"]).shape
        (2, 1)
    """
    return Ensemble(learners, weights)


def combine(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Weighted mean and standard deviation of predictions.

    Args:
        values: (M, ...) of M members.
        weights: (M,), with the sum 1.

    Returns:
        Mean and standard deviation (...), in the type of the values; no deviation for a single member.

    Example:
        >>> combine(np.array([[1.0], [3.0]]), np.array([0.5, 0.5]))
        (array([2.]), array([1.41421356]))
    """
    exact = values.astype(np.float64)
    mean = np.tensordot(weights, exact, axes=1)
    if len(values) == 1:
        return mean.astype(values.dtype), None
    variance = np.tensordot(weights, (exact - mean) ** 2, axes=1) / (1 - (weights**2).sum())
    return mean.astype(values.dtype), np.sqrt(variance).astype(values.dtype)


def predict_some(member: Predictor, packed: PackedMolecules | None, batch_size: int | None) -> np.ndarray:
    """Predictions of packed molecules; without any, those of a probe, for their shape and type."""
    if packed is None:
        packed = member.probe()
    return member.predict_packed(packed, batch_size)


def flatten(
    members: list[Predictor], weights: Sequence[float] | None
) -> tuple[tuple[Predictor, ...], tuple[float, ...]]:
    """Return members that are no ensembles themselves, and weights whose sum is 1.

    Raises:
        ValueError: No or too many members, or weights that do not fit them.
    """
    given = [1.0] * len(members) if weights is None else list(weights)
    if not members or any(not isinstance(member, Predictor) for member in members):
        raise ValueError("an ensemble is made of trained learners: give a list of them, such as [first, second]")
    if len(given) != len(members) or not all(is_positive(weight) for weight in given):
        raise ValueError(f"weights={given}: give a number above 0 for each of {len(members)} members")
    flat: list[tuple[Predictor, float]] = []
    for member, weight in zip(members, given, strict=True):
        inner = zip(member.members, member.weights, strict=True) if isinstance(member, Ensemble) else [(member, 1.0)]
        flat += [(each, weight * share / sum(given)) for each, share in inner]
    if len(flat) > MOST_MEMBERS:
        raise ValueError(f"an ensemble has at most {MOST_MEMBERS} members, not {len(flat)}")
    return tuple(member for member, _ in flat), tuple(float(weight) for _, weight in flat)


def require_same_tasks(first: Predictor, other: Predictor, number: int) -> None:
    """Raise a `ValueError` of one line unless two members predict the same tasks, of the same kind and classes."""
    mine, theirs = meaning(first.fitted), meaning(other.fitted)
    for what, expected in mine.items():
        if theirs[what] != expected:
            raise ValueError(
                f"member {number} ({other.recipe.model}) has {what} {theirs[what]}, and member 0 "
                f"({first.recipe.model}) has {expected}: an ensemble needs members trained on the same labels"
            )


def meaning(fitted: Fitted) -> dict[str, Any]:
    """Return what members of an ensemble have in common: the meaning of their predictions."""
    words = {task: [str(word).lower() for word in names] for task, names in fitted.label_names.items()}
    return {
        "targets of the kind": kinds.labels_of(fitted.task),
        "tasks": list(fitted.output_names),
        "kinds": list(fitted.task_kinds),
        "classes": fitted.task_args.get("num_classes", 2),
        "label words": words,
        "features": list(fitted.feature_names),
        "columns of molecules": list(fitted.smiles_columns),
    }


def group_by_featurizer(members: Sequence[Predictor]) -> list[list[int]]:
    """Return the positions of members with equal featurizers together."""
    groups: dict[str, list[int]] = {}
    for number, member in enumerate(members):
        groups.setdefault(member.featurizer.fingerprint, []).append(number)
    return list(groups.values())
