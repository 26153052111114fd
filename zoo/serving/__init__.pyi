from .app import make_app as make_app
from .options import ServeOptions as ServeOptions
from .refusal import Refusal as Refusal
from .server import serve as serve
