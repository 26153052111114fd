"""Every built-in estimator of uncertainty: what `learner.predictions(molecules, uncertainty=NAME)` calls.

`facts` of an estimator: `needs` says in a few words which learners it fits, `passes` what a prediction costs in forward
passes of one model.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Registry

ESTIMATORS: Registry[Any] = Registry("estimator")
