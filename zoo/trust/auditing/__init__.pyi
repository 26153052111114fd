from .audit import Audit as Audit
from .audit import audit as audit
from .finding import Example as Example
from .finding import Finding as Finding
