from .domain import Domain as Domain
from .domain import domain_of as domain_of
from .domain import set_domain as set_domain
