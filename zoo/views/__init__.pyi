from . import drawings as drawings
from . import plots as plots
from . import tensorboard_pages as tensorboard_pages
from . import uncertainty as uncertainty
