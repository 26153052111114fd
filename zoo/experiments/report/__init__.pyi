from .palette import Palette as Palette
from .report import Report as Report
from .report import write_report as write_report
