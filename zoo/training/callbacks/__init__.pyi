from .ascent import AscentMonitor as AscentMonitor
from .base import Callback as Callback
from .checkpointing import Checkpointing as Checkpointing
from .early_stopping import EarlyStopping as EarlyStopping
from .progress import Progress as Progress
from .tensorboard import TensorBoard as TensorBoard
