"""Every built-in split."""

from __future__ import annotations

from typing import Any

from zoo.registry.registry import Entry, Registry

SPLITS: Registry[Any] = Registry("split")

_entry: Entry[Any]
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
    Entry(
        "kfold", "zoo.data.splits.folds:kfold", "One of several random folds is the test part, the next one validates"
    ),
    Entry(
        "scaffold_kfold", "zoo.data.splits.folds:scaffold_kfold", "As kfold, with molecules of one scaffold together"
    ),
    Entry(
        "stratified_kfold",
        "zoo.data.splits.folds:stratified_kfold",
        "As kfold, with equal shares of each class, or decile of a regression target (one task), in every fold",
    ),
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
    Entry("none", "zoo.data.splits.named:none", "Train on everything; nothing validates or tests"),
    Entry("column", "zoo.data.splits.named:column", "As the source's own column of train, valid and test says"),
):
    SPLITS.add(_entry)
