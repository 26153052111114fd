from .planned import PlannedRun as PlannedRun
from .results import ResultsFolder as ResultsFolder
from .rows import ResultRow as ResultRow
from .specification import Sweep as Sweep
from .workers import run_sweep as run_sweep
