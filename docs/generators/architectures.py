"""What each model computes, in rows of boxes: text of ours, and the module whose sizes a box shows.

A box has a title, a note and the path of its module; several paths joined by "+" count their weights together, and "~"
leaves out the shape of one. `{option}` is the value of an option of the model. A fourth part tells which boxes of the
row above a box reads, where that is not plain. A row that begins with "layers" opens a frame up to the next "end".
"""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A step of a model.

    Args:
        title: A few words.
        note: What it computes.
        module: Paths of its modules, or "@" and the name of another size.
        reads: Positions of the boxes in the row above that it reads; empty for the nearest.
    """

    title: str
    note: str
    module: str
    reads: tuple[int, ...] = ()


Rows = list[list[tuple] | str]
ATOMS = ("Atoms", "features of each atom", "@atoms")
BONDS = ("Bonds", "features of each directed bond", "@bonds")
PAIRS = ("Pairs of atoms", "{pairs}", "@pairs")
DLS_READOUT = ("Readout", "gated sum of the atoms, next to their maximum", "encoder.readout")
DLS_HEAD = ("Head", "linear, ReLU, batch norm, linear", "head")
SCORES = ("Scores", "one for each task", "@scores")
HEAD = ("Head", "linear layers: {ffn_num_layers}", "head")

ARCHITECTURES: dict[str, Rows] = {
    "Grover": [
        [ATOMS, BONDS],
        [
            ("Atom stream: input", "linear, {activation}, layer norm", "encoder.atom_input"),
            ("Bond stream: input", "bond and its source atom: linear, {activation}, layer norm", "encoder.bond_input"),
        ],
        "layers × {num_blocks}: GTransformer block",
        [
            (
                "Message passing",
                "3 × {num_heads} heads (queries, keys, values), each {num_layers} states deep: sums of "
                "neighbours through the head's own matrix",
                "encoder.atom_blocks.0.messages",
            ),
            (
                "Message passing",
                "3 × {num_heads} heads, {num_layers} states deep; a bond hears those that lead to it, "
                "not its own reverse",
                "encoder.bond_blocks.0.messages",
            ),
        ],
        [
            (
                "Attention",
                "each atom mixes its own {num_heads} heads; merge, layer norm",
                "encoder.atom_blocks.0.attention+encoder.atom_blocks.0.merge+encoder.atom_blocks.0.norm",
            ),
            (
                "Attention",
                "each bond mixes its own {num_heads} heads; merge, layer norm",
                "encoder.bond_blocks.0.attention+encoder.bond_blocks.0.merge+encoder.bond_blocks.0.norm",
            ),
        ],
        "end",
        [
            (
                "Neighbours to atoms",
                "atom features next to the sum of its neighbours: network of two layers, layer norm",
                "encoder.outputs.atom_from_atom",
            ),
            (
                "Bonds to atoms",
                "atom features next to the sum of its bonds: network of two layers, layer norm",
                "encoder.outputs.atom_from_bond",
            ),
        ],
        [
            ("Readout: {readout}", "over the atoms", "head.readout"),
            ("Readout: {readout}", "over the atoms", "head.readout"),
        ],
        [
            ("Prediction network", "linear layers: {ffn_num_layers}", "head.from_atom"),
            ("Prediction network", "linear layers: {ffn_num_layers}", "head.from_bond"),
        ],
        [("Scores", "mean of both predictions; training also pulls them together", "@scores")],
    ],
    "GCN": [
        [ATOMS],
        "layers × {num_layers}: GCNLayer",
        [
            ("Graph convolution", "W Σ over the atom and its neighbours, ReLU", "encoder.gnn.gnn_layers.0.graph_conv"),
            ("Residual", "ReLU of a linear map of the input", "encoder.gnn.gnn_layers.0.res_connection"),
        ],
        [("Sum", "batch norm", "encoder.gnn.gnn_layers.0.bn_layer")],
        "end",
        [DLS_READOUT],
        [DLS_HEAD],
        [SCORES],
    ],
    "GAT": [
        [ATOMS],
        "layers × {num_layers}: GATLayer",
        [
            (
                "Graph attention",
                "{num_heads} heads over the atom and its neighbours, scores from both ends; heads are "
                "joined, in the last layer averaged; the input is added",
                "encoder.gnn.gnn_layers.0",
            )
        ],
        "end",
        [DLS_READOUT],
        [DLS_HEAD],
        [SCORES],
    ],
    "GIN": [
        [ATOMS, BONDS],
        [
            ("Atom embedding", "linear", "encoder.gnn.layers.node_embeddings.0"),
            ("Bonds of an atom", "their sum", "@bonds_of_atoms"),
        ],
        "layers × {num_layers}: GINLayer",
        [
            (
                "Isomorphism layer",
                "sum of the atom, its neighbours and a linear map of its bonds; network of two layers, "
                "batch norm, ReLU",
                "encoder.gnn.layers.gnn_layers.0",
            )
        ],
        "end",
        [("Readout: {readout}", "of the {layers_read} layer's atoms", "encoder.readout")],
        [("Head", "linear", "head")],
        [SCORES],
    ],
    "MPNN": [
        [ATOMS, BONDS],
        [
            ("Atom input", "linear, ReLU", "encoder.gnn.project_node_feats"),
            (
                "Bond matrices",
                "a network of the bond gives a {hidden_size} × {hidden_size} matrix",
                "encoder.gnn.gnn_layer.edge_func",
            ),
        ],
        "layers × {num_layers} steps with the same weights",
        [("Message", "sum of the neighbours, each times the matrix of the bond; ReLU", "encoder.gnn.gnn_layer")],
        [("Update", "GRU cell: message in, state kept", "encoder.gnn.gru")],
        "end",
        [("Readout: set2set", "{readout_steps} steps of attention, {readout_layers}-layer LSTM", "encoder.readout")],
        [("Head", "linear, ReLU, linear", "head")],
        [SCORES],
    ],
    "AttentiveFP": [
        [ATOMS, BONDS],
        [("Context", "attention of an atom to its neighbours with their bonds; GRU cell", "encoder.gnn.init_context")],
        "layers × {num_layers} − 1: BondAttention",
        [("Attention along bonds", "to the neighbours' states; GRU cell", "encoder.gnn.gnn_layers.0")],
        "end",
        "layers × {readout_steps}: MoleculeAttention",
        [("Readout", "a molecule vector attends to its atoms; GRU cell", "encoder.readout.readouts.0")],
        "end",
        [("Head", "linear", "head")],
        [SCORES],
    ],
    "DMPNN": [
        [ATOMS, BONDS],
        [
            (
                "Input of directed bonds",
                "linear in the source atom and the bond: i; state h = {activation}(i)",
                "encoder.atom_input+encoder.bond_input",
            )
        ],
        "layers × {num_layers} − 1 steps with the same weights",
        [
            (
                "Message",
                "h ← {activation}(i + W Σ of the bonds that lead to its source, but its own reverse)",
                "encoder.message",
            )
        ],
        "end",
        [("Bonds to atoms", "atom features next to the sum of its bonds: linear, {activation}", "encoder.output")],
        [("Readout: {readout}", "over the atoms", "@pooled")],
        [HEAD],
        [SCORES],
    ],
}
