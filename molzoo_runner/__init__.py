"""Run models that `molzoo export` wrote: SMILES to predictions with RDKit, ONNX Runtime and NumPy.

`molzoo_runner.load("model.zip").predict(["CCO"])`; `python -m molzoo_runner model.zip molecules.csv` for files.
"""

from molzoo_runner.errors import ModelFileError
from molzoo_runner.model import Model, load
from molzoo_runner.predictions import Predictions

__all__ = ["Model", "ModelFileError", "Predictions", "load"]
