from .domain import Domain as Domain
from .domain import Resemblance as Resemblance
from .drawing import draw_domain as draw_domain
from .finding import NoDomain as NoDomain
from .finding import domain_of as domain_of
from .finding import set_domain as set_domain
from .storing import read_domain as read_domain
from .storing import write_domain as write_domain
