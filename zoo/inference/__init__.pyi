from .files import FileSummary as FileSummary
from .files import predict_file as predict_file
