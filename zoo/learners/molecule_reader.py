"""`MoleculeReader`: what a learner makes of molecules before its model sees them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeDataset, featurize
from zoo.data.features import FeatureScaler, Packed, attach_features
from zoo.learners.encoding import encode_chunks
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import Recipe


class MoleculeReader:
    """Base class of learners: molecules to codes, with the features that the model reads next to them.

    Args:
        recipe: What was asked for.
        fitted: What came of it.
        featurizer: Molecules to graphs.
    """

    def __init__(self, recipe: Recipe, fitted: Fitted, featurizer: Featurizer) -> None:
        self.recipe, self.fitted, self.featurizer = recipe, fitted, featurizer

    @property
    def feature_scaler(self) -> FeatureScaler:
        """Scaling of the features that are read next to the molecules."""
        state = self.fitted.feature_scaling
        return FeatureScaler.none(self.fitted.feature_names) if state is None else FeatureScaler.from_state_dict(state)

    def complete(self, packed: Packed) -> Packed:
        """Scale the features that packed molecules carry, and join them to the descriptors; what is done stays so."""
        return self.feature_scaler.join(packed)

    def probe(self) -> PackedMolecules:
        """Methane as packed molecules, for the shape of predictions."""
        packed, width = PackedMolecules.pack([self.featurizer.read("C")]), len(self.fitted.feature_names)
        packed = replace(packed, partners=(packed,) * len(self.fitted.smiles_columns[1:]))
        return self.complete(attach_features(packed, np.full((1, width), np.nan) if width else None))

    @property
    def encoding_workers(self) -> int:
        """Processes that encode molecules while the model predicts others; 0 encodes in this process."""
        return 0

    def featurize_dataset(
        self, dataset: MoleculeDataset, options: TrainingOptions, progress: bool | None = None
    ) -> tuple[MoleculeDataset, PackedMolecules]:
        """Encode a data set as the training options say; `None` shows progress in a terminal or notebook.

        Returns:
            The molecules that the featurizer can encode, and their codes; a warning names the others, those that are
            too large for it, say.
        """
        packed = featurize(
            dataset,
            self.featurizer,
            num_workers=options.num_workers,
            cache_dir=options.cache_dir,
            progress=sys.stderr.isatty() if progress is None else progress,
            on_invalid="empty",
        )
        packed = self.complete(packed)
        if not packed.invalid:
            return dataset, packed
        first = packed.invalid[0]
        warnings.warn(
            f"{dataset.name}: {len(packed.invalid)} of {len(dataset)} molecules left out, {self.recipe.featurizer!r} "
            f"cannot encode them (first: {dataset.where(first.row)}, {first.smiles[:60]!r}: {first.reason})",
            stacklevel=3,
        )
        return dataset.subset(packed.readable), packed.take(packed.readable)

    def apply(
        self,
        molecules: Any,
        function: Callable[[PackedMolecules], np.ndarray],
        on_invalid: str = "nan",
        features: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Apply a function of packed molecules, some thousand at a time, and keep the rows in place.

        Args:
            molecules: As in `predict`.
            function: Of the packed molecules, with their features if it needs these.
            on_invalid: As in `predict`.
            features: Whether the molecules need the features that the learner reads next to them.

        Returns:
            What the function gives (n, ...), NaN in the rows that cannot be read; and why not (n,).
        """
        if on_invalid not in ("nan", "raise"):
            raise ValueError(f"on_invalid={on_invalid!r}: choose 'nan' or 'raise'")
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        reasons: list[str] = []
        inputs = self.fitted.inputs if features else replace(self.fitted.inputs, features=())
        for readable, packed, why in encode_chunks(
            self.featurizer, molecules, on_invalid, self.encoding_workers, inputs
        ):
            if packed is not None:
                parts.append((len(reasons) + readable, function(self.complete(packed))))
            reasons += why
        probe = parts[0][1] if parts else function(self.probe())
        result = np.full((len(reasons), *probe.shape[1:]), np.nan, probe.dtype)
        for rows, values in parts:
            result[rows] = values
        return result, np.array(reasons, dtype=object)
