"""Every built-in part of the zoo: the pages to read first, and the pages to add to.

Each page holds one registry (`targets` two: kinds of target and metrics). Targets of entries are places
(`"package.module:Class"`) that are imported at their first use, so these pages import nothing heavy.
"""

from typing import Any

from zoo.registry.catalog.domains import DOMAINS
from zoo.registry.catalog.estimators import ESTIMATORS
from zoo.registry.catalog.explainers import EXPLAINERS
from zoo.registry.catalog.featurizers import FEATURIZERS
from zoo.registry.catalog.formats import FORMATS
from zoo.registry.catalog.models import MODELS
from zoo.registry.catalog.optimizers import OPTIMIZERS
from zoo.registry.catalog.pretraining import PRETRAINING
from zoo.registry.catalog.splits import SPLITS
from zoo.registry.catalog.targets import METRICS, TASKS
from zoo.registry.catalog.weights import WEIGHTS
from zoo.registry.registry import Registry

REGISTRIES: dict[str, Registry[Any]] = {
    "models": MODELS,
    "optimizers": OPTIMIZERS,
    "featurizers": FEATURIZERS,
    "tasks": TASKS,
    "splits": SPLITS,
    "metrics": METRICS,
    "formats": FORMATS,
    "estimators": ESTIMATORS,
    "domains": DOMAINS,
    "explainers": EXPLAINERS,
    "pretraining": PRETRAINING,
    "weights": WEIGHTS,
}
"""Every registry, under the plural of its kind."""

__all__ = [
    "DOMAINS",
    "ESTIMATORS",
    "EXPLAINERS",
    "FEATURIZERS",
    "FORMATS",
    "METRICS",
    "MODELS",
    "OPTIMIZERS",
    "PRETRAINING",
    "REGISTRIES",
    "SPLITS",
    "TASKS",
    "WEIGHTS",
]
