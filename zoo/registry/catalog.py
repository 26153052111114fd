"""Every built-in model, optimizer, featurizer and split: the page to read first, and the page to add to.

Targets are places (`"package.module:Class"`) that are imported on first use, so this page imports nothing heavy.
`defaults` are options that the name sets; `facts["featurizer"]` is what a model uses unless told otherwise;
`facts["kernels"] == "dgl"` marks models that run DGL's own modules, only on devices that the installed DGL can use.
"""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

MODELS: Registry[Any] = Registry("model")
OPTIMIZERS: Registry[Any] = Registry("optimizer")
FEATURIZERS: Registry[Any] = Registry("featurizer")
SPLITS: Registry[Any] = Registry("split")

GROVER = "Rong et al. 2020, arXiv 2007.02835"
COMPT = "Chen et al. 2021, arXiv 2107.08773"
GRAPHORMER = "Ying et al. 2021, arXiv 2106.05234"
EGT = "Hussain et al. 2022, arXiv 2108.03348"
GPS = "Rampášek et al. 2022, arXiv 2205.12454"
MAT = "Maziarka et al. 2020, arXiv 2002.08264"

_entry: Entry[Any]
for _entry in (
    Entry(
        "grover",
        "zoo.models.grover:Grover",
        "GROVER's message-passing transformer, sized for a laptop (hidden 128, depth 4, 4 heads, fixed depth)",
        GROVER,
        facts={"featurizer": "grover"},
    ),
    Entry(
        "grover_base",
        "zoo.models.grover:Grover",
        "GROVER's published base size (hidden 800, depth 6, 4 heads)",
        GROVER,
        defaults={"hidden_size": 800, "num_layers": 6, "dynamic_depth": "truncnorm"},
        facts={"featurizer": "grover"},
    ),
    Entry(
        "grover_large",
        "zoo.models.grover:Grover",
        "GROVER's published large size (hidden 1200, depth 6, 4 heads)",
        GROVER,
        defaults={"hidden_size": 1200, "num_layers": 6, "dynamic_depth": "truncnorm"},
        facts={"featurizer": "grover"},
    ),
    Entry(
        "gcn",
        "zoo.models.gcn:GCN",
        "Graph convolutions (DGL-LifeSci's predictor)",
        "Kipf & Welling 2017, arXiv 1609.02907",
        facts={"featurizer": "canonical", "kernels": "dgl"},
    ),
    Entry(
        "gat",
        "zoo.models.gat:GAT",
        "Graph attention (DGL-LifeSci's predictor)",
        "Veličković et al. 2018, arXiv 1710.10903",
        facts={"featurizer": "canonical", "kernels": "dgl"},
    ),
    Entry(
        "gin",
        "zoo.models.gin:GIN",
        "Isomorphism network with bond features (DGL-LifeSci's predictor on dense features)",
        "Xu et al. 2019, arXiv 1810.00826",
        facts={"featurizer": "canonical", "kernels": "dgl"},
    ),
    Entry(
        "mpnn",
        "zoo.models.mpnn:MPNN",
        "Message passing with a matrix for each bond and set2set (DGL-LifeSci's predictor)",
        "Gilmer et al. 2017, arXiv 1704.01212",
        facts={"featurizer": "canonical", "kernels": "dgl"},
    ),
    Entry(
        "attentive_fp",
        "zoo.models.attentive_fp:AttentiveFP",
        "Attention on atoms, then on the molecule (DGL-LifeSci's predictor)",
        "Xiong et al. 2020, J. Med. Chem. 63, 8749",
        facts={"featurizer": "canonical", "kernels": "dgl"},
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
        facts={"featurizer": "fingerprint"},
    ),
    Entry(
        "gradient_boosting",
        "zoo.learners.baselines:GradientBoosting",
        "Histogram gradient boosting on ECFP4",
        "Friedman 2001",
        facts={"featurizer": "fingerprint"},
    ),
):
    MODELS.add(_entry)

for _entry in (
    Entry("adam", "torch.optim:Adam", "Adam", "Kingma & Ba 2015, arXiv 1412.6980"),
    Entry(
        "adamw", "torch.optim:AdamW", "Adam with decoupled weight decay", "Loshchilov & Hutter 2019, arXiv 1711.05101"
    ),
    Entry("sgd", "torch.optim:SGD", "Stochastic gradient descent", defaults={"lr": 1e-2, "momentum": 0.9}),
    Entry("radam", "torch.optim:RAdam", "Adam with rectified variance", "Liu et al. 2020, arXiv 1908.03265"),
    Entry("adamax", "torch.optim:Adamax", "Adam with the infinity norm", "Kingma & Ba 2015, arXiv 1412.6980"),
    Entry("nadam", "torch.optim:NAdam", "Adam with Nesterov momentum", "Dozat 2016"),
    Entry("sam", "optim:SAM", "Sharpness-aware minimization: two passes a step", "Foret et al. 2021, arXiv 2010.01412"),
    Entry("asam", "optim:ASAM", "SAM scaled to the weights: two passes a step", "Kwon et al. 2021, arXiv 2102.11600"),
    Entry("sam_k", "optim:SAMK", "SAM at every k-th step: 1 + 1/k passes a step", "Liu et al. 2022, arXiv 2203.02714"),
    Entry(
        "looksam",
        "optim:LookSAM",
        "SAM at every k-th step, its sharpness part reused in between: 1 + 1/k passes a step",
        "Liu et al. 2022, arXiv 2203.02714",
    ),
    Entry(
        "esam",
        "optim:ESAM",
        "SAM on part of the weights, then on the molecules that suffer: up to two passes a step",
        "Du et al. 2022, arXiv 2110.03141",
    ),
    Entry(
        "ae_sam",
        "optim:AESAM",
        "SAM where the gradient is large for its time: one to two passes a step",
        "Jiang et al. 2023, arXiv 2304.14647",
    ),
    Entry("rst", "optim:RST", "SAM at random steps: 1 + p passes a step", "Zhao et al. 2022, arXiv 2203.09962"),
    Entry(
        "gsam",
        "optim:GSAM",
        "SAM that also narrows the gap to the perturbed loss: two passes a step",
        "Zhuang et al. 2022, arXiv 2203.08065",
    ),
    Entry("msam", "optim:MSAM", "SAM along the momentum: one pass a step", "Becker et al. 2024, arXiv 2401.12033"),
    Entry(
        "friendly_sam",
        "optim:FriendlySAM",
        "SAM along the batch's own part of the gradient: two passes a step",
        "Li et al. 2024, arXiv 2403.12350",
    ),
    Entry(
        "vasso",
        "optim:VaSSO",
        "SAM along a moving average of gradients: two passes a step",
        "Li & Giannakis 2023, arXiv 2309.15639",
    ),
    Entry(
        "wsam",
        "optim:WSAM",
        "SAM with a weight for the sharpness, decoupled from the base: two passes a step",
        "Yue et al. 2023, arXiv 2305.15817",
    ),
    Entry(
        "sam_one",
        "optim:SAMOne",
        "SAM along the first gradient of an epoch: one pass a step, two at the first of an epoch",
        "ICLR 2024, arXiv 2406.13137",
    ),
    Entry(
        "graphsam_k",
        "optim:GraphSAMK",
        "GraphSAM with a true gradient every second epoch only: one pass a step",
        "ICLR 2024, arXiv 2406.13137",
    ),
    Entry(
        "graphsam",
        "optim:GraphSAM",
        "SAM along the previous updating gradients: one pass a step, two at the first of an epoch",
        "ICLR 2024, arXiv 2406.13137",
    ),
):
    OPTIMIZERS.add(_entry)

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

for _entry in (
    Entry(
        "scaffold",
        "zoo.data.splits.named:scaffold",
        "Molecules of one Bemis-Murcko scaffold together; large scaffolds in train, the others by chance",
        "Yang et al. 2019, arXiv 1904.01561 (as GROVER and chemprop)",
    ),
    Entry(
        "scaffold_deterministic",
        "zoo.data.splits.named:scaffold_deterministic",
        "Molecules of one scaffold together, the largest scaffolds in train, without chance",
        "Wu et al. 2018, arXiv 1703.00564 (as dgllife)",
    ),
    Entry("random", "zoo.data.splits.named:random", "By chance; duplicates together"),
    Entry(
        "random_stratified",
        "zoo.data.splits.named:random_stratified",
        "By chance within each class, or each decile of a regression target (one task); duplicates together",
    ),
    Entry("kfold", "zoo.data.splits.named:kfold", "One of several folds is the test part, the next one validates"),
    Entry(
        "butina",
        "zoo.data.splits.named:butina",
        "Clusters of similar molecules together, the largest in train, without chance (up to 10,000 molecules)",
        "Butina 1999, J. Chem. Inf. Comput. Sci. 39, 747",
    ),
    Entry(
        "maxmin",
        "zoo.data.splits.named:maxmin",
        "The molecules most unlike each other test and validate (up to 100,000 molecules)",
        "Ashton et al. 2002, Quant. Struct.-Act. Relat. 21, 598",
    ),
    Entry("column", "zoo.data.splits.named:column", "As the source's own column of train, valid and test says"),
):
    SPLITS.add(_entry)
