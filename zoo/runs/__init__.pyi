from . import checkpoint as checkpoint
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import CheckpointError as CheckpointError
from .machine import describe_machine as describe_machine
from .machine import describe_versions as describe_versions
from .process import tune_process as tune_process
