"""Every built-in measure of the applicability domain: what `learner.predictions(molecules, domain=NAME)` calls.

A measure is a function of a predictor, molecules and the number of neighbours to name; it returns whether each molecule
is in the domain, and columns by name.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

DOMAINS: Registry[Any] = Registry("domain")

DOMAINS.add(
    Entry(
        "fingerprint",
        "zoo.trust.domain.measures:by_fingerprint",
        "ECFP4 Tanimoto similarity to the nearest training molecule",
        "Sheridan et al. 2004, J. Chem. Inf. Comput. Sci. 44, 1912",
    )
)
DOMAINS.add(
    Entry(
        "embedding",
        "zoo.trust.domain.measures:by_embedding",
        "Distance to the nearest of at most 5,000 training molecules, as the model sees them",
        "Janet et al. 2019, Chem. Sci. 10, 7913",
    )
)

KEEP_DOMAIN: Entry[Any] = Entry("keep_domain", "zoo.trust.domain.finding:keep_domain", "Write the domain of a learner")
