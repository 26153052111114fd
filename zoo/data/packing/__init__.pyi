from .featurizing import FeaturizedMolecules as FeaturizedMolecules
from .featurizing import featurize as featurize
from .loader import Batch as Batch
from .loader import MoleculeLoader as MoleculeLoader
from .prefetch import prefetch as prefetch
