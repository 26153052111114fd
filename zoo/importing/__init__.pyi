from .importing import ForeignCheckpoint as ForeignCheckpoint
from .importing import import_checkpoint as import_checkpoint
from .importing import read_foreign as read_foreign
from .importing import write_foreign as write_foreign
