"""What the transformers compute that see all atoms, or all bonds, at once; see `architectures`."""

from __future__ import annotations

from generators.architectures import ATOMS, BONDS, HEAD, PAIRS, SCORES, Rows

FFN = ("Feed-forward", "norm; two linear layers; added to its input")

TRANSFORMERS: dict[str, Rows] = {
    "GT": [
        [ATOMS, BONDS],
        [
            (
                "Atom input",
                "linear in features and Laplacian vectors, whose signs are flipped at random in training",
                "encoder.atom_input",
            ),
            ("Bond input", "linear", "encoder.bond_input"),
        ],
        "layers × {num_layers}: GTLayer",
        [
            (
                "Attention along bonds",
                "{num_heads} heads; scores q · k, times the bond's state, element by element",
                "~encoder.layers.0.query_key_value+~encoder.layers.0.bond",
                (0, 1),
            )
        ],
        [
            (
                "Atom update",
                "added, {norm} norm; network of two layers, added, {norm} norm",
                "encoder.layers.0.atom_update",
            ),
            ("Bond update", "the same, from the scores; not in the last layer", "encoder.layers.0.bond_update"),
        ],
        "end",
        [("Readout: {readout}", "over the atoms", "@pooled", (0,))],
        [HEAD],
        [SCORES],
    ],
    "Compt": [
        [ATOMS, BONDS, PAIRS],
        [
            (
                "Atom input",
                "linear, plus a vector for the place in canonical order",
                "encoder.atom_embedding+encoder.positions",
            ),
            ("Bond embedding", "linear; the keys of all layers use it", "encoder.bond_embedding"),
            ("Nearness", "exp(−decay × distance), decay of each layer", "@nearness"),
        ],
        "layers × {num_layers}: ComptLayer",
        [
            (
                "Attention",
                "{num_heads} heads over all atoms; keys from bonds, weights times nearness; Mish, norm, added",
                "encoder.layers.0.attention",
            )
        ],
        [
            (
                "Feed-forward",
                "linear layers with Mish: {ffn_num_layers}; norm; both inputs added",
                "encoder.layers.0.feed_forward",
            )
        ],
        "end",
        [("Norm", "", "encoder.norm")],
        [("Readout", "a GRU in both directions over the atoms in canonical order", "head.readout")],
        [("Head", "linear, norm, linear", "head.hidden+head.norms+head.output")],
        [SCORES],
    ],
    "GPS": [
        [ATOMS, BONDS],
        [
            ("Atom input", "features next to {walk_size} steps of a random walk: linear maps", "encoder.atom_input"),
            ("Bond input", "linear", "encoder.bond_input"),
        ],
        "layers × {num_layers}: GPSLayer",
        [
            (
                "Message passing",
                "GINE: network of x + Σ relu(neighbour + bond); added, {norm} norm",
                "encoder.layers.0.local+encoder.layers.0.local_norm",
                (0, 1),
            ),
            (
                "Attention",
                "{num_heads} heads over all atoms of the molecule; added, {norm} norm",
                "encoder.layers.0.attention+encoder.layers.0.attention_norm",
                (0,),
            ),
        ],
        [
            (
                "Sum, then network",
                "two linear layers; added, {norm} norm",
                "encoder.layers.0.network+encoder.layers.0.norm",
            )
        ],
        "end",
        [("Readout: {readout}", "over the atoms", "@pooled")],
        [HEAD],
        [SCORES],
    ],
    "Graphormer": [
        [ATOMS, PAIRS, BONDS],
        [
            (
                "Tokens",
                "atoms with their degrees, and a virtual node",
                "encoder.atom_embedding+encoder.degree_embedding",
                (0,),
            ),
            ("Bias of distances", "a number for each distance and head", "encoder.distance_bias", (1,)),
            ("Bias of paths", "mean over the bonds of a shortest path", "encoder.path_bias", (1, 2)),
        ],
        "layers × {num_layers}: GraphormerLayer",
        [
            (
                "Attention",
                "norm; {num_heads} heads over all tokens, scores plus the biases of the pair; added to its input",
                "encoder.layers.0.attention_norm+encoder.layers.0.attention",
            )
        ],
        [(*FFN, "encoder.layers.0.ffn_norm+encoder.layers.0.feed_forward")],
        "end",
        [("Readout", "state of the virtual node, norm", "encoder.norm+@pooled")],
        [HEAD],
        [SCORES],
    ],
    "EGT": [
        [ATOMS, PAIRS, BONDS],
        [
            ("Atom embedding", "linear", "encoder.atom_embedding", (0,)),
            (
                "Pair states",
                "a vector for each distance, plus that of the bond",
                "encoder.bond_embedding+encoder.distance_embedding",
                (1, 2),
            ),
        ],
        "layers × {num_layers}: EGTLayer",
        [
            (
                "Gated attention",
                "{num_heads} heads over all atoms; pair states give part of the scores, and gates",
                "encoder.layers.0.query_key_value+encoder.layers.0.score_and_gate+encoder.layers.0.output",
            )
        ],
        [
            ("Atoms", "added; norm, network of two layers, added", "encoder.layers.0.feed_forward"),
            (
                "Pairs",
                "scores are written back, added; norm, network, added; not in the last layer",
                "encoder.layers.0.pair_output+encoder.layers.0.pair_ffn_norm+encoder.layers.0.pair_feed_forward",
            ),
        ],
        "end",
        [("Readout", "norm; mean of the atoms", "encoder.norm+@pooled", (0,))],
        [HEAD],
        [SCORES],
    ],
    "MAT": [
        [ATOMS, PAIRS],
        [
            ("Atom embedding", "linear, and a dummy node", "encoder.atom_embedding"),
            (
                "Fixed weights",
                "share {distance_share} for nearness ({distances} distances), the rest for bonds",
                "@fixed",
            ),
        ],
        "layers × {num_layers}: MATLayer",
        [
            (
                "Mixed attention",
                "norm; {num_heads} heads: share {attention_share} of a softmax, plus the fixed weights; added to "
                "its input",
                "encoder.layers.0.norm+encoder.layers.0.query_key_value+encoder.layers.0.output",
            )
        ],
        [
            (
                "Feed-forward",
                "norm; linear layers: {dense_num_layers}; leaky ReLU; added to its input",
                "encoder.layers.0.ffn_norm+encoder.layers.0.feed_forward",
            )
        ],
        "end",
        [("Readout", "norm; mean of the atoms and the dummy node", "encoder.norm+@pooled")],
        [HEAD],
        [SCORES],
    ],
    "GRIT": [
        [ATOMS, PAIRS, BONDS],
        [
            (
                "Atom states",
                "linear in features and returns of the random walk",
                "encoder.return_embedding+encoder.atom_embedding",
                (0, 1),
            ),
            (
                "Pair states",
                "linear in {random_walks} steps of the random walk, plus the bond",
                "encoder.bond_embedding+encoder.walk_embedding",
                (1, 2),
            ),
        ],
        "layers × {num_layers}: GRITLayer",
        [
            (
                "Attention from pairs",
                "relu(root((q + k) · W e) + W′ e) is the state of a pair; {num_heads} heads score it, "
                "and it joins the values",
                "~encoder.layers.0.query_key_value+~encoder.layers.0.scale_and_shift",
            )
        ],
        [
            (
                "Atoms",
                "scaled by degree, added, {norm} norm; network of two layers, added, {norm} norm",
                "encoder.layers.0.output+encoder.layers.0.norm+encoder.layers.0.feed_forward+encoder.layers.0.ffn_norm",
            ),
            (
                "Pairs",
                "the new state, added, {norm} norm; not in the last layer",
                "encoder.layers.0.pair_output+encoder.layers.0.pair_norm",
            ),
        ],
        "end",
        [("Readout: {readout}", "over the atoms", "@pooled", (0,))],
        [HEAD],
        [SCORES],
    ],
}
