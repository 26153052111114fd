from .report import SplitReport as SplitReport
from .splitting import PART_NAMES as PART_NAMES
from .splitting import SPLIT_NAMES as SPLIT_NAMES
from .splitting import Split as Split
from .splitting import split_dataset as split_dataset
