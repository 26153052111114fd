from .report import DataReport as DataReport
from .report import TaskSummary as TaskSummary
from .scan import check as check
