"""A page for each kind of part with a name: optimizers, featurizers, splits, metrics, kinds of target, ..."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generators.markdown import link_papers, list_options, make_table
from zoo.data.reading.sets import ENTRIES
from zoo.learners.descriptions import Page, describe_dataset, describe_entry, describe_recipe, format_default
from zoo.recipe.presets import list_recipes
from zoo.registry.catalog import (
    DOMAINS,
    ESTIMATORS,
    EXPLAINERS,
    FEATURIZERS,
    FORMATS,
    METRICS,
    OPTIMIZERS,
    PRETRAINING,
    SPLITS,
    TASKS,
    WEIGHTS,
)
from zoo.registry.registry import Registry

KINDS: dict[str, tuple[Registry[Any], str, str]] = {
    "optimizers": (
        OPTIMIZERS,
        "Optimizers",
        '`zoo.build("gcn", optimizer="NAME", optimizer_args={...})`, `molzoo train --optimizer NAME '
        "--optimizer-args.OPTION VALUE`. [Sharpness-aware optimizers](../sharpness_aware.md) explains the family.",
    ),
    "featurizers": (
        FEATURIZERS,
        "Featurizers",
        '`zoo.build("gcn", featurizer="NAME", featurizer_args={...})`, `molzoo train --featurizer NAME '
        "--featurizer-args.OPTION VALUE`. Each [model](../models/index.md) has one of its own.",
    ),
    "splits": (
        SPLITS,
        "Splits",
        '`learner.fit(data, split="NAME")`, `molzoo train --split NAME --split-args.OPTION VALUE`.',
    ),
    "metrics": (
        METRICS,
        "Metrics",
        '`zoo.data.load(source, metric="NAME")`, `molzoo train --metric NAME --metric-args.OPTION VALUE`; '
        "[metrics](../metrics.md) tells which are measured without being named.",
    ),
    "targets": (
        TASKS,
        "Kinds of target",
        '`zoo.data.load(source, task="NAME")`, `molzoo train --task NAME`; [targets](../targets.md) explains them.',
    ),
    "formats": (FORMATS, "File formats", "Found by the name or the content of a file; see [inputs](../inputs.md)."),
    "estimators": (
        ESTIMATORS,
        "Estimators of uncertainty",
        '`learner.predictions(smiles, uncertainty="NAME")`, `molzoo predict RUN FILE --uncertainty NAME`; '
        "[uncertainty](../uncertainty.md) compares them.",
    ),
    "domains": (
        DOMAINS,
        "Measures of the domain",
        "How far a molecule is from those of training; see [trust](../trust.md).",
    ),
    "explainers": (
        EXPLAINERS,
        "Explainers",
        "`molzoo explain RUN FILE --method NAME`; see [trust](../trust.md).",
    ),
    "pretraining": (
        PRETRAINING,
        "Pre-training objectives",
        "`molzoo pretrain FILE --objective NAME`; see [pre-training](../pretraining.md).",
    ),
    "weights": (
        WEIGHTS,
        "Pre-trained encoders",
        "Shipped with the package: `molzoo train --init NAME --data FILE`; see [pre-training](../pretraining.md).",
    ),
}


def make_pages() -> dict[str, str]:
    """Return the pages by their places, the overview first."""
    pages = {f"parts/{kind}.md": make_page(*described) for kind, described in KINDS.items()}
    pages["parts/recipes.md"] = make_list("Recipes", [describe_recipe(name) for name in list_recipes()])
    pages["parts/datasets.md"] = make_list("Data sets", [describe_dataset(entry.name) for entry in ENTRIES])
    counts = {kind: (described[1], len(described[0].names())) for kind, described in KINDS.items()}
    counts |= {"recipes": ("Recipes", len(list_recipes())), "datasets": ("Data sets", len(ENTRIES))}
    rows = [(f"[{title}]({kind}.md)", str(count)) for kind, (title, count) in counts.items()]
    overview = (
        "# Parts with a name\n\n`molzoo list` prints their names and `molzoo describe NAME` what each accepts; the "
        f"pages here hold the same text.\n\n{make_table(('kind', 'parts'), rows, ' r')}"
    )
    return {"parts/index.md": overview, **pages}


def make_page(registry: Registry[Any], title: str, use: str) -> str:
    """Return the page of a kind of part: a section for each."""
    return "\n".join(
        [f"# {title}\n", f"{use}\n", *(section for entry in registry for section in show(registry, entry))]
    )


def show(registry: Registry[Any], entry: Any) -> Iterator[str]:
    """Yield the section of a part."""
    part = describe_entry(registry, entry, parameters=False)
    yield f"## {entry.name}\n\n{entry.summary}.\n"
    facts = {"reference": link_papers(entry.reference)} if entry.reference else {}
    facts |= {name: f"`{format_default(value)}`" for name, value in entry.facts.items() if name != "legacy_defaults"}
    if facts:
        yield " · ".join(f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in facts.items()) + "\n"
    options = dict(part.options)
    if "base" in options:
        base = describe_entry(registry, registry["adam"], parameters=False).options
        options = {name: value for name, value in options.items() if name not in base or value != base[name]}
    if options:
        yield list_options(options, part.texts)
    if options != part.options:
        yield "The options of the base optimizer are given next to these; those of Adam are [above](#adam).\n"


def make_list(title: str, pages: list[Page | None]) -> str:
    """Return the page of recipes or of data sets."""
    lines = [f"# {title}\n"]
    for page in filter(None, pages):
        rows = [
            (name, f"`{value}`" if name in ("use", "file", "labels", "SMILES") else value)
            for name, value in page.rows.items()
        ]
        lines += [f"## {page.name}\n\n{page.summary.rstrip('.')}.\n", make_table(("", ""), rows)]
    return "\n".join(lines)
