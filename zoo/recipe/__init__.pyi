from . import presets as presets
from .fitted import Fitted as Fitted
from .mapping import from_mapping as from_mapping
from .options import DataOptions as DataOptions
from .options import ReadOptions as ReadOptions
from .options import TrainingOptions as TrainingOptions
from .overriding import override as override
from .recipe import Recipe as Recipe
