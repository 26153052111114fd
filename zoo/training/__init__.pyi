from . import callbacks as callbacks
from . import distributed as distributed
from .history import EpochRecord as EpochRecord
from .history import History as History
from .loop import TrainingRun as TrainingRun
