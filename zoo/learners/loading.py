"""Loading what `save` or a training run has written: a learner, a baseline or an ensemble of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from featurizers import Featurizer
from zoo.learners.ensemble import Ensemble
from zoo.learners.estimator import Baseline
from zoo.learners.factory import assemble
from zoo.learners.learner import Learner
from zoo.runs.checkpoint import CheckpointError, by_whom, read, versions, wrote
from zoo.runs.ensemble_folder import EnsembleFolder, open_ensemble


def load(
    path: str | Path,
    *,
    model: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    featurizer: Featurizer | None = None,
    device: str | torch.device = "auto",
    trust: bool = False,
) -> Learner | Baseline | Ensemble:
    """Read a learner that `save` or a training run has written.

    Args:
        path: Folder of a checkpoint, of a run (its best checkpoint is taken), or of an ensemble.
        model: A module to load the weights into, where the model is neither registered nor importable.
        optimizer: Likewise.
        featurizer: Likewise.
        device: "auto" takes a GPU where there is one.
        trust: Import and build what the checkpoint names by `package.module:Class`; only where that code may run.

    Raises:
        CheckpointError: The folder holds no checkpoint, or a damaged one.
        UntrustedPlace: The checkpoint names a class that is not registered, and `trust` is false.
        TypeError: A part is given for an ensemble, whose members have parts of their own.
    """
    found = open_ensemble(path)
    if found is None:
        return load_one(path, model, optimizer, featurizer, device, trust)
    if (model, optimizer, featurizer) != (None, None, None):
        raise TypeError(f"{path} is an ensemble: model=, optimizer= and featurizer= are for single checkpoints")
    return load_ensemble(found, device, trust)


def load_ensemble(found: EnsembleFolder, device: str | torch.device = "auto", trust: bool = False) -> Ensemble:
    """Read the members of an ensemble; arguments and errors as in `load`."""
    members = [load_one(place, device=device, trust=trust) for place in found.places]
    try:
        together = Ensemble(members, found.weights)
    except ValueError as error:
        raise CheckpointError(f"{found.path} is not an ensemble: {error}") from error
    together.fitted = replace(together.fitted, calibration=found.calibration)
    return together


def load_one(
    path: str | Path,
    model: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    featurizer: Featurizer | None = None,
    device: str | torch.device = "auto",
    trust: bool = False,
) -> Learner | Baseline:
    """Read a single learner; arguments and errors as in `load`."""
    checkpoint = read(path)
    try:
        learner = assemble(
            checkpoint.recipe,
            model=model,
            optimizer=optimizer,
            featurizer=featurizer,
            device=device,
            fitted=checkpoint.fitted,
            trust=trust,
        )
    except TypeError as error:
        if wrote(checkpoint.path) == versions()["molzoo"]:
            raise
        raise CheckpointError(f"{checkpoint.path} cannot be built: {error}{by_whom(checkpoint.path)}") from error
    learner.load_weights(checkpoint)
    learner.place = checkpoint.path
    if isinstance(learner, Learner):
        learner.model.eval()
    return learner
