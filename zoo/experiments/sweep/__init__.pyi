from .planned import PlannedRun as PlannedRun
from .results import ResultRow as ResultRow
from .results import ResultsStore as ResultsStore
from .specification import Sweep as Sweep
from .workers import run_sweep as run_sweep
