"""molzoo: a modular zoo of molecular graph transformers on DGL, trained with sharpness-aware optimizers.

`zoo.build("grover", optimizer="graphsam")` makes a `Learner`; `zoo.data.load("b3db")` data to fit it on.
Everything is imported at its first use; `__init__.pyi` lists what there is.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
