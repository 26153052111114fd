from .exporting import SUFFIXES as SUFFIXES
from .exporting import Exported as Exported
from .exporting import export_model as export_model
from .misfits import ExportError as ExportError
from .misfits import why_not as why_not
