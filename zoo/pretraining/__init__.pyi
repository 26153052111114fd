from .options import PretrainingOptions as PretrainingOptions
from .pretraining import PretrainingOutcome as PretrainingOutcome
from .pretraining import pretrain as pretrain
from .vocabulary import Vocabulary as Vocabulary
