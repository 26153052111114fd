"""Every built-in model.

`defaults` are options that the name sets; `facts["featurizer"]` is the default featurizer of a model, and
`facts["bfloat16_from"]` the width from which bfloat16 was measured to be faster on processors that have it.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.catalog.references import COMPT, EGT, GPS, GRAPHORMER, GROVER, MAT
from zoo.registry.registry import Entry, Registry

MODELS: Registry[Any] = Registry("model")

_entry: Entry[Any]
for _entry in (
    Entry(
        "grover",
        "zoo.models.grover:Grover",
        "GROVER's message-passing transformer, sized for a laptop (hidden 128, depth 4, 4 heads, fixed depth)",
        GROVER,
        facts={"featurizer": "grover", "bfloat16_from": 800},
    ),
    Entry(
        "grover_base",
        "zoo.models.grover:Grover",
        "GROVER's published base size (hidden 800, depth 6, 4 heads)",
        GROVER,
        defaults={"hidden_size": 800, "num_layers": 6, "dynamic_depth": "truncnorm"},
        facts={"featurizer": "grover", "bfloat16_from": 800},
    ),
    Entry(
        "grover_large",
        "zoo.models.grover:Grover",
        "GROVER's published large size (hidden 1200, depth 6, 4 heads)",
        GROVER,
        defaults={"hidden_size": 1200, "num_layers": 6, "dynamic_depth": "truncnorm"},
        facts={"featurizer": "grover", "bfloat16_from": 800},
    ),
    Entry(
        "gcn",
        "zoo.models.gcn:GCN",
        "Graph convolutions (as DGL-LifeSci)",
        "Kipf & Welling 2017, arXiv 1609.02907",
        facts={"featurizer": "canonical"},
    ),
    Entry(
        "gat",
        "zoo.models.gat:GAT",
        "Graph attention (as DGL-LifeSci)",
        "Veličković et al. 2018, arXiv 1710.10903",
        facts={"featurizer": "canonical"},
    ),
    Entry(
        "gin",
        "zoo.models.gin:GIN",
        "Isomorphism network with bond features (as DGL-LifeSci, on dense features)",
        "Xu et al. 2019, arXiv 1810.00826",
        facts={"featurizer": "canonical"},
    ),
    Entry(
        "mpnn",
        "zoo.models.mpnn:MPNN",
        "Message passing with a matrix for each bond and set2set (as DGL-LifeSci)",
        "Gilmer et al. 2017, arXiv 1704.01212",
        facts={"featurizer": "canonical"},
    ),
    Entry(
        "attentive_fp",
        "zoo.models.attentive_fp:AttentiveFP",
        "Attention on atoms, then on the molecule (as DGL-LifeSci)",
        "Xiong et al. 2020, J. Med. Chem. 63, 8749",
        facts={"featurizer": "canonical"},
    ),
    Entry(
        "dmpnn",
        "zoo.models.dmpnn:DMPNN",
        "Message passing between directed bonds (chemprop's model)",
        "Yang et al. 2019, arXiv 1904.01561",
        facts={"featurizer": "grover"},
    ),
    Entry(
        "gt",
        "zoo.models.gt:GT",
        "Attention along bonds with bond features and Laplacian encodings",
        "Dwivedi & Bresson 2021, arXiv 2012.09699",
        facts={"featurizer": "laplacian"},
    ),
    Entry(
        "compt",
        "zoo.models.compt:Compt",
        "Attention that weakens with distance, keys from bonds, a GRU over the atoms (hidden 256, 4 layers)",
        COMPT,
        facts={"featurizer": "compt"},
    ),
    Entry(
        "gps",
        "zoo.models.gps:GPS",
        "Message passing along bonds next to attention over the molecule, with random-walk encodings",
        GPS,
        facts={"featurizer": "random_walk"},
    ),
    Entry(
        "gps_zinc",
        "zoo.models.gps:GPS",
        "GPS as published for ZINC (10 layers, 20 steps of the random walk)",
        GPS,
        defaults={"num_layers": 10},
        facts={"featurizer": "random_walk_20"},
    ),
    Entry(
        "graphormer",
        "zoo.models.graphormer:Graphormer",
        "Attention biased by distances and paths, with a virtual node (hidden 64, 4 layers)",
        GRAPHORMER,
        facts={"featurizer": "canonical_paths"},
    ),
    Entry(
        "graphormer_base",
        "zoo.models.graphormer:Graphormer",
        "Graphormer as published (hidden 768, 12 layers, 32 heads)",
        GRAPHORMER,
        defaults={"hidden_size": 768, "num_layers": 12, "num_heads": 32},
        facts={"featurizer": "canonical_paths"},
    ),
    Entry(
        "egt",
        "zoo.models.egt:EGT",
        "Attention with states and gates for all pairs of atoms",
        EGT,
        facts={"featurizer": "canonical_pairs"},
    ),
    Entry(
        "egt_zinc",
        "zoo.models.egt:EGT",
        "EGT as published for ZINC (10 layers, 64 columns for a pair)",
        EGT,
        defaults={"num_layers": 10, "pair_hidden_size": 64},
        facts={"featurizer": "canonical_pairs"},
    ),
    Entry(
        "mat",
        "zoo.models.mat:MAT",
        "Attention mixed with bonds and with distances counted in bonds",
        MAT,
        facts={"featurizer": "mat"},
    ),
    Entry(
        "mat_3d",
        "zoo.models.mat:MAT",
        "Attention mixed with bonds and with distances in a conformer, as published",
        MAT,
        defaults={"distances": "conformer"},
        facts={"featurizer": "mat_conformers"},
    ),
    Entry(
        "grit",
        "zoo.models.grit:GRIT",
        "Attention from pair states that begin as random walks (hidden 64, 4 layers)",
        "Ma et al. 2023, arXiv 2305.17589",
        facts={"featurizer": "canonical_walks"},
    ),
    Entry(
        "grit_zinc",
        "zoo.models.grit:GRIT",
        "GRIT as published for ZINC (hidden 64, 10 layers)",
        "Ma et al. 2023, arXiv 2305.17589",
        defaults={"num_layers": 10},
        facts={"featurizer": "canonical_walks"},
    ),
    Entry(
        "random_forest",
        "zoo.learners.baselines:RandomForest",
        "Random forest on ECFP4: the baseline to beat on small sets",
        "Breiman 2001",
        facts={"featurizer": "fingerprint", "trains_itself": True},
    ),
    Entry(
        "gradient_boosting",
        "zoo.learners.baselines:GradientBoosting",
        "Histogram gradient boosting on ECFP4",
        "Friedman 2001",
        facts={"featurizer": "fingerprint", "trains_itself": True},
    ),
):
    MODELS.add(_entry)


def own_featurizer(model: str) -> str:
    """Name of the default featurizer of a model; "grover" for models that are not registered."""
    return MODELS[model].facts.get("featurizer", "grover") if model in MODELS else "grover"
