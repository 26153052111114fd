"""Checks of structures: near-duplicates across parts, activity cliffs, salts and mixtures, structural alerts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rdkit import rdBase
from rdkit.Chem import FilterCatalog

from featurizers.errors import FAILURES
from zoo.data import MoleculeDataset, Split, read_molecule
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of
from zoo.trust.auditing.finding import BAD, CARE, GOOD, MOST_EXAMPLES, Example, Finding, describe_examined, draw_rows
from zoo.trust.domain.fingerprints import ecfp4, nearest

NEAR, CLIFF, DEVIATIONS, NEIGHBORS = 0.9, 0.85, 2.0, 6
MOST_REFERENCES, MOST_QUERIES, MOST_ALERTED = 50_000, 5_000, 5_000
ORGANIC = frozenset((1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53))


def check_parts(split: Split) -> Finding:
    """Find test and validation molecules that nearly are training molecules."""
    dataset, (train, *others) = split.dataset, split.indices
    rows = np.concatenate(others)
    title, name = "near-duplicates across parts", f"split {split.name!r}"
    if not len(rows) or not len(train):
        return Finding(title, GOOD, f"The {name} has one part only.", 0, "nothing")
    queries, references = rows[draw_rows(len(rows), MOST_QUERIES)], train[draw_rows(len(train), MOST_REFERENCES)]
    similarity, place = nearest(fingerprints(dataset, queries), fingerprints(dataset, references))
    near = np.flatnonzero(similarity[:, 0] >= NEAR)
    examined = f"{describe_examined(len(queries), len(rows), 'test and validation molecules')} against "
    examined += describe_examined(len(references), len(train), "training molecules")
    if not len(near):
        return Finding(title, GOOD, f"None in the {name}.", 0, examined)
    order = near[np.argsort(-similarity[near, 0], kind="stable")][:MOST_EXAMPLES]
    examples = [
        Example.of(dataset, [int(queries[row]), int(references[place[row, 0]])], f"similarity {similarity[row, 0]:.2f}")
        for row in order
    ]
    share = len(near) / len(queries)
    same = int((similarity[near, 0] >= 1).sum())
    text = f"{len(near):,} ({share:.1%}) have a training molecule of similarity 0.9 or more ({same:,} the same bits)"
    return Finding(
        title,
        BAD if share > 0.2 else CARE,
        f"In the {name}, {text}.",
        len(near),
        examined,
        "metrics on them say little about new chemistry: split by scaffold or butina",
        tuple(examples),
        {"same bits": same, "share": share},
    )


def check_cliffs(dataset: MoleculeDataset, task: int) -> Finding | None:
    """Find activity cliffs: similar molecules whose labels differ by two deviations, or by class.

    Reference:
        Stumpfe & Bajorath 2012, J. Med. Chem. 55, 2932.
    """
    labels, name = dataset.targets[:, task], dataset.task_names[task]
    known = np.flatnonzero(~np.isnan(labels))
    if len(known) < 2:
        return None
    rows = known[draw_rows(len(known), MOST_REFERENCES)]
    chosen = draw_rows(len(rows), MOST_QUERIES)
    packed = fingerprints(dataset, rows)
    similarity, place = nearest(packed[chosen], packed, NEIGHBORS)
    left, right = np.repeat(rows[chosen], place.shape[1]), rows[place.ravel()]
    difference = np.abs(labels[left] - labels[right])
    numbers = labels_of(dataset.kind_by_task[task]) == NUMBERS
    least = DEVIATIONS * labels[known].std() if numbers else 0.5
    alike = similarity.ravel() >= CLIFF
    names = dataset.canonical_smiles
    other = np.array([names[a] != names[b] for a, b in zip(left.tolist(), right.tolist(), strict=True)], dtype=bool)
    steep = alike & other & (difference >= max(least, 1e-300))
    pairs = {(min(a, b), max(a, b)) for a, b in zip(left[steep].tolist(), right[steep].tolist(), strict=True)}
    examined = describe_examined(len(chosen), len(known), "molecules") + f", their {NEIGHBORS - 1} nearest each"
    title = f"activity cliffs of {name}"
    compared = max(int((alike & other).sum()), 1)
    if not pairs:
        return Finding(title, GOOD, "No similar molecules (0.85 or more) have very different labels.", 0, examined)
    steepest = sorted(pairs, key=lambda pair: -abs(labels[pair[0]] - labels[pair[1]]))[:MOST_EXAMPLES]
    what = "by two standard deviations or more" if numbers else "in class"
    found = "1 pair" if len(pairs) == 1 else f"{len(pairs):,} pairs"
    text = f"{found} of similar molecules (0.85 or more) {'differs' if len(pairs) == 1 else 'differ'} {what}"
    return Finding(
        title,
        CARE,
        f"{text}.",
        len(pairs),
        examined,
        "check these measurements; models of structure miss true cliffs",
        tuple(Example.of(dataset, pair, task=task) for pair in steepest),
        {"similar pairs": compared},
    )


def check_composition(dataset: MoleculeDataset) -> Finding:
    """Find salts and mixtures, molecules without carbon, with metals, isotopes, radicals or charges."""
    found: dict[str, list[int]] = {}
    rows = draw_rows(len(dataset), MOST_REFERENCES)
    for row in rows.tolist():
        for kind in kinds_of(dataset.smiles[row]):
            found.setdefault(kind, []).append(row)
    table = {kind: len(places) for kind, places in found.items()}
    examined = describe_examined(len(rows), len(dataset))
    odd = {kind: places for kind, places in found.items() if kind != "charged"}
    if not odd:
        return Finding("salts and mixtures", GOOD, "Every molecule is of one organic part.", 0, examined, "", (), table)
    shown = ", ".join(f"{kind} {len(places):,}" for kind, places in sorted(odd.items(), key=lambda item: -len(item[1])))
    examples = [Example.of(dataset, [row], kind) for kind, places in odd.items() for row in places[:2]]
    return Finding(
        "salts and mixtures",
        CARE,
        f"Molecules are not of one organic part: {shown}.",
        len({row for places in odd.values() for row in places}),
        examined,
        "--featurizer-args.standardize true keeps the largest part, without its charge",
        tuple(examples[:MOST_EXAMPLES]),
        table,
    )


def kinds_of(smiles: str) -> list[str]:
    """Name what is odd about a molecule."""
    try:
        mol = read_molecule(smiles)
    except FAILURES:
        return []
    numbers = {atom.GetAtomicNum() for atom in mol.GetAtoms()}
    facts = {
        "salt or mixture": "." in smiles,
        "without carbon": 6 not in numbers,
        "metal or rare element": bool(numbers - ORGANIC),
        "isotope": any(atom.GetIsotope() for atom in mol.GetAtoms()),
        "radical": any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()),
        "charged": sum(atom.GetFormalCharge() for atom in mol.GetAtoms()) != 0,
    }
    return [name for name, there in facts.items() if there]


def check_alerts(dataset: MoleculeDataset) -> Finding:
    """Find structural alerts: PAINS, which disturb assays, and Brenk's, which are unwanted in drugs.

    Reference:
        Baell & Holloway 2010, J. Med. Chem. 53, 2719; Brenk et al. 2008, ChemMedChem 3, 435.
    """
    params = FilterCatalog.FilterCatalogParams()
    for catalog in ("PAINS", "BRENK"):
        params.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, catalog))
    alerts = FilterCatalog.FilterCatalog(params)
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    rows = draw_rows(len(dataset), MOST_ALERTED)
    disturbing: set[int] = set()
    unwanted: set[int] = set()
    with rdBase.BlockLogs():
        for row in rows.tolist():
            try:
                matches = alerts.GetMatches(read_molecule(dataset.smiles[row]))
            except FAILURES:
                continue
            for match in matches:
                pains = match.GetProp("FilterSet").upper().startswith("PAINS")
                name = f"{'PAINS' if pains else 'Brenk'}: {match.GetDescription().replace('_', ' ')}"
                (disturbing if pains else unwanted).add(row)
                counts[name] += 1
                first.setdefault(name, row)
    examined = describe_examined(len(rows), len(dataset))
    if not counts:
        return Finding("structural alerts", GOOD, "No molecule has one.", 0, examined)
    text = f"{len(disturbing):,} molecules have a PAINS alert, {len(unwanted):,} one of Brenk's"
    common = counts.most_common(12)
    examples = [Example.of(dataset, [first[name]], name) for name, _ in common[:MOST_EXAMPLES]]
    share = len(disturbing) / max(len(rows), 1)
    return Finding(
        "structural alerts",
        CARE if share > 0.05 else GOOD,
        f"{text}.",
        len(disturbing | unwanted),
        examined,
        "labels of PAINS may be artefacts of the assay",
        tuple(examples),
        dict(common),
    )


def fingerprints(dataset: MoleculeDataset, rows: np.ndarray) -> np.ndarray:
    """Packed fingerprints (n, 256) of some molecules."""
    return ecfp4(dataset.smiles[row] for row in rows.tolist())[0]
