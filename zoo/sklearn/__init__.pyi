from .classifier import MoleculeClassifier as MoleculeClassifier
from .regressor import MoleculeRegressor as MoleculeRegressor
