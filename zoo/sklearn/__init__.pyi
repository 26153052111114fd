from .classifier import MoleculeClassifier as MoleculeClassifier
from .embedder import MoleculeEmbedder as MoleculeEmbedder
from .regressor import MoleculeRegressor as MoleculeRegressor
