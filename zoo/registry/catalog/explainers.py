"""Every built-in method of attribution: what `learner.explain(molecules, method=NAME)` calls.

A method is a function of a game (`zoo.trust.attribution.games`) that returns an `Attribution`. `facts["gradients"]`
says that it needs a neural network.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

EXPLAINERS: Registry[Any] = Registry("explainer")

_entry: Entry[Any]
for _entry in (
    Entry(
        "integrated_gradients",
        "zoo.trust.attribution.gradients:integrated_gradients",
        "Gradients to the features of atoms and bonds, summed from no features to those of the molecule",
        "Sundararajan et al. 2017, arXiv 1703.01365",
        facts={"gradients": True},
    ),
    Entry(
        "masking",
        "zoo.trust.attribution.masking:masking",
        "Change of the prediction when the features of an atom, or of a bond, are taken away",
    ),
    Entry(
        "shapley",
        "zoo.trust.attribution.coalitions:shapley",
        "Shapley values of fragments: mean change over all orders in which they can be added",
        "Shapley 1953; Lundberg & Lee 2017, arXiv 1705.07874",
    ),
    Entry(
        "myerson",
        "zoo.trust.attribution.coalitions:myerson",
        "Myerson values of fragments: Shapley values where only fragments that are connected work together",
        "Myerson 1977, Math. Oper. Res. 2, 225; Homberg et al. 2024, Digital Discovery 3, 1841",
    ),
):
    EXPLAINERS.add(_entry)

EXPLAIN: Entry[Any] = Entry("explain", "zoo.trust.attribution.explain:explain", "Attribute predictions to atoms")
