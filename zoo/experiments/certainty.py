"""Uncertainty of a run, measured on its test part and written next to its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data import MoleculeDataset, Split
from zoo.learners.predictor import Predictor
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.trust.calibrating import TOLD, calibrate_cheaply
from zoo.trust.calibration import CALIBRATED
from zoo.trust.estimator import fitting
from zoo.trust.evaluation import UncertaintyReport, evaluate_uncertainty


def calibrate_run(place: RunFolder, learner: Predictor, split: Split, test: MoleculeDataset, steps: int) -> None:
    """Calibrate on the validation part what takes one pass over it, and measure that on the test part.

    The best checkpoint gets the calibration, `metrics.json` and TensorBoard the measures, the folder a picture of each
    estimator.

    Args:
        place: Folder of the run.
        learner: The trained learner.
        split: Parts of the run.
        test: Test molecules.
        steps: Steps of the training, for TensorBoard.
    """
    calibrate_cheaply(learner, split.valid)
    if not learner.fitted.calibration:
        return
    checkpoint.rewrite_fitted(place.checkpoint("best"), learner.fitted)
    if not len(test):
        return
    for name in (CALIBRATED, *(name for name in TOLD if name in fitting(learner))):
        report = measure_uncertainty(learner, test, place.path, {"uncertainty": name})
        place.log.scalars(
            {f"test/uncertainty/{name}/{measure}": value for measure, value in report.mean.items()}, steps
        )
        place.log.figure(f"test/uncertainty/{name}", report.figure(), steps)
        place.write_metrics({"uncertainty": {**place.metrics.get("uncertainty", {}), name: report.to_dict()}})


def measure_uncertainty(
    learner: Predictor, data: MoleculeDataset, folder: Path, asked: Mapping[str, Any]
) -> UncertaintyReport:
    """Measure an estimator and draw the picture in the folder of the run.

    Args:
        learner: The trained learner.
        data: Molecules with labels.
        folder: Of the run, the checkpoint or the ensemble.
        asked: Keyword arguments of `evaluate_uncertainty`.
    """
    report = evaluate_uncertainty(learner, data, **{"uncertainty": CALIBRATED, **asked})
    report.figure().savefig(picture_of(folder, report.estimator), dpi=120)
    return report


def picture_of(folder: Path, estimator: str) -> Path:
    """Return the place of the picture of an estimator."""
    return RunFolder.of(folder).path / f"uncertainty_{estimator}.png"
