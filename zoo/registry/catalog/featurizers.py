"""Every built-in featurizer."""

from __future__ import annotations

from typing import Any

from zoo.registry.catalog.references import COMPT, GROVER, MAT
from zoo.registry.registry import Entry, Registry

FEATURIZERS: Registry[Any] = Registry("featurizer")

_entry: Entry[Any]
for _entry in (
    Entry(
        "grover",
        "featurizers.grover:GroverFeaturizer",
        "GROVER's 151 atom and 14 bond columns",
        GROVER,
    ),
    Entry(
        "canonical",
        "featurizers.canonical:CanonicalFeaturizer",
        "DGL-LifeSci's canonical atom and bond features",
        "Li et al. 2021, arXiv 2106.14232",
    ),
    Entry(
        "random_walk",
        "featurizers.structural:StructuralFeaturizer",
        "The canonical features and random-walk returns of each atom",
        "Dwivedi et al. 2022, arXiv 2110.07875",
        defaults={"walk_steps": 16},
    ),
    Entry(
        "random_walk_20",
        "featurizers.structural:StructuralFeaturizer",
        "The canonical features and 20 random-walk returns of each atom, as GPS was published with",
        "Dwivedi et al. 2022, arXiv 2110.07875",
        defaults={"walk_steps": 20},
    ),
    Entry(
        "laplacian",
        "featurizers.structural:StructuralFeaturizer",
        "The canonical features and Laplacian eigenvectors",
        "Dwivedi & Bresson 2021, arXiv 2012.09699",
        defaults={"walk_steps": 0, "num_vectors": 8},
    ),
    Entry(
        "canonical_pairs",
        "featurizers.canonical:CanonicalFeaturizer",
        "The canonical features and the distances of all atom pairs",
        "Li et al. 2021, arXiv 2106.14232",
        defaults={"pairs": True},
    ),
    Entry(
        "canonical_paths",
        "featurizers.canonical:CanonicalFeaturizer",
        "The canonical features, distances and shortest paths of all atom pairs",
        "Li et al. 2021, arXiv 2106.14232",
        defaults={"pairs": True, "path_length": 5},
    ),
    Entry(
        "canonical_walks",
        "featurizers.canonical:CanonicalFeaturizer",
        "The canonical features, distances and random walks of all atom pairs",
        "Li et al. 2021, arXiv 2106.14232",
        defaults={"pairs": True, "random_walks": 21},
    ),
    Entry(
        "chemprop",
        "featurizers.chemprop:ChempropFeaturizer",
        "chemprop 2's 72 atom and 14 bond columns",
        "Heid et al. 2024, doi:10.1021/acs.jcim.3c01250",
    ),
    Entry(
        "compt",
        "featurizers.compt:ComptFeaturizer",
        "CoMPT's 115 atom and 13 bond columns with distances; atoms in canonical order",
        COMPT,
        defaults={"canonical_order": True},
    ),
    Entry(
        "mat",
        "featurizers.mat:MATFeaturizer",
        "MAT's 25 atom columns and the distances of all atom pairs in bonds",
        MAT,
        defaults={"pairs": True},
    ),
    Entry(
        "mat_conformers",
        "featurizers.mat:MATFeaturizer",
        "MAT's 25 atom columns and the distances of all atom pairs in a conformer (50 to 100 ms a molecule)",
        MAT,
        defaults={"pairs": True, "conformers": True},
    ),
    Entry(
        "fingerprint",
        "featurizers.fingerprint:FingerprintFeaturizer",
        "Morgan fingerprints (ECFP4) of whole molecules",
        "Rogers & Hahn 2010",
    ),
):
    FEATURIZERS.add(_entry)
