"""CoMPT as released (jcchan23/CoMPT) with its options for BBBP: its side of a pair of `releases.py`."""

from __future__ import annotations

from typing import Any

import torch
from rdkit import Chem


def load_compt(rows: list[dict[str, str]], batch_size: int) -> tuple[Any, list[Any], int]:
    """Return a step with Adam, its batches and the number of parameters; all molecules are padded to the longest."""
    from dataset_graph import construct_dataset, mol_collate_func
    from transformer_graph import make_model
    from utils import cal_loss, get_loss, get_options

    options, training = get_options("bbbp")
    molecules = [Chem.MolFromSmiles(row["smiles"]) for row in rows]
    options |= {"n_output": 1, "max_length": max(molecule.GetNumAtoms() for molecule in molecules)}
    labels = [[int(row["label"])] for row in rows]
    data = construct_dataset(molecules, labels, options["d_atom"], options["d_edge"], options["max_length"])
    places = [range(start, min(start + batch_size, len(rows))) for start in range(0, len(rows), batch_size)]
    batches = [mol_collate_func([data[place] for place in part]) for part in places]
    model = make_model(**options).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    criterion = get_loss(training["loss_function"])

    def step(batch: Any) -> None:
        _, adjacency, atoms, bonds, targets = batch
        scores, _ = model(atoms, atoms.abs().sum(-1) != 0, adjacency, bonds)
        loss = cal_loss(targets, scores, training["loss_function"], criterion, 0, 1, torch.device("cpu"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step, batches, sum(parameter.numel() for parameter in model.parameters())
