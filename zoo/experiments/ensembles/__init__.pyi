from .members import Setting as Setting
from .outcome import EnsembleOutcome as EnsembleOutcome
from .plan import EnsemblePlan as EnsemblePlan
from .plan import Member as Member
from .training import MembersFailed as MembersFailed
from .training import cross_validate as cross_validate
from .training import train_members as train_members
from .training import train_seeds as train_seeds
