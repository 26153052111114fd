from .errors import InferenceError as InferenceError
from .files import predict_file as predict_file
from .given import given_file as given_file
from .keys import default_output as default_output
from .request import FileOptions as FileOptions
from .shards import predict_shards as predict_shards
from .tally import FileSummary as FileSummary
