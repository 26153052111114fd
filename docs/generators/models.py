"""A page for each model: paper, picture of the architecture, options, speed, scores, and a recipe."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from generators.drawing import draw_architecture
from generators.links import ROOT
from generators.markdown import link_papers, list_options, make_fence, make_table
from generators.placeholders import hold
from generators.scores import list_scores
from generators.tracing import trace_model
from zoo.learners.descriptions import Description, describe_entry
from zoo.recipe.presets import find, list_recipes
from zoo.registry.catalog import MODELS
from zoo.registry.registry import Entry

LEGEND = (
    "N atoms, E directed bonds (two for each bond), P ordered pairs of atoms and B molecules of a batch; L tokens of "
    "the largest molecule, atoms and virtual ones. Weights are those of one layer, with default options and one task."
)
RESULTS = ROOT / "benchmarks" / "results" / "models.jsonl"


def make_pages() -> dict[str, str]:
    """Return the pages by their places, the overview first."""
    described = {entry.name: describe_entry(MODELS, entry) for entry in MODELS}
    pages = {"models/index.md": make_overview(described)}
    for entry in MODELS:
        pages[f"models/{entry.name}.md"] = "\n".join(make_page(entry, described[entry.name]))
    return pages


@functools.cache
def read_speeds() -> dict[str, dict[str, Any]]:
    """Return the records of benchmarks/models.py by model."""
    records = map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())
    return {record["model"]: record for record in records if "failed" not in record}


def make_overview(described: dict[str, Description]) -> str:
    """Return the page with a table of all models."""
    rows = []
    for name, part in described.items():
        speed = read_speeds().get(name)
        size = "" if part.parameters is None else f"{part.parameters:,}"
        cells = (f"[`{name}`]({name}.md)", part.entry.summary, size, "" if speed is None else f"{speed['adam']:,.0f}")
        rows.append((*cells, link_papers(part.entry.reference)))
    header = ("model", "what it is", "parameters", "molecules/s in training", "paper")
    return "\n".join(
        [
            "# Model zoo\n",
            'All of them are built by name, `zoo.build("gps")` or `molzoo train --model gps`, trained with any of the '
            "[optimizers](../parts/optimizers.md), and checked against the published code where there is one. "
            "[Your own model](../contributing.md#a-model) joins them with a decorator.\n",
            make_table(header, rows, "  rr "),
            f"Speed: {explain_speed()}\n",
        ]
    )


def explain_speed() -> str:
    """Return how speeds were measured."""
    return (
        "`python benchmarks/models.py --clock cpu` on one core, training steps with Adam on batches of 32 molecules of "
        "B3DB, featurization apart ([results](../results.md))."
    )


def make_page(entry: Entry[Any], part: Description) -> Iterator[str]:
    """Yield the sections of a model's page."""
    itself = entry.facts.get("trains_itself")
    featurizer = entry.facts["featurizer"]
    yield f"# {entry.name}\n\n{entry.summary}.\n"
    facts = [
        ("Paper", link_papers(entry.reference)),
        ("Featurizer", f"[`{featurizer}`](../parts/featurizers.md#{featurizer})"),
    ]
    facts += [] if part.parameters is None else [("Parameters", f"{part.parameters:,} with one task")]
    target = str(entry.target)
    facts.append(("Class", f"`{target.replace(':', '.')}`"))
    facts += (
        [("Set by the name", ", ".join(f"`{k}={v!r}`" for k, v in entry.defaults.items()))] if entry.defaults else []
    )
    yield make_table(("", ""), facts)
    yield "## Architecture\n"
    if itself:
        yield "Trees on fingerprints of whole molecules, by scikit-learn; each task has its own.\n"
    else:
        yield hold(draw_architecture(trace_model(entry.name), f"Architecture of {entry.name}")) + f"\n\n{LEGEND}\n"
    yield "## Recipe\n"
    yield from make_recipe(entry.name, bool(itself))
    yield "## Options\n"
    yield f'`zoo.build("{entry.name}", model_args={{...}})` and `--model-args.NAME VALUE`:\n'
    yield list_options(part.options, part.texts)
    yield from show_speed(entry.name)
    yield from list_scores(entry.name)


def make_recipe(name: str, itself: bool) -> Iterator[str]:
    """Yield code that trains the model, and the named recipes that do."""
    optimizer = "" if itself else ', optimizer="graphsam"'
    fit = "learner.fit(data)" if itself else "learner.fit(data, epochs=10)"
    yield make_fence(
        "python",
        f'import zoo\n\ndata = zoo.data.load("b3db")\nlearner = zoo.build("{name}", dataset=data{optimizer})\n'
        f'history = {fit}\nprint(learner.evaluate(history.split.test))\nprint(learner.predict(["CCO", "c1ccccc1"]))',
    )
    rule = "" if itself else " --optimizer graphsam --epochs 10"
    yield make_fence("sh", f"molzoo train --data b3db --model {name}{rule}")
    recipes = [recipe for recipe in list_recipes() if find(recipe).model == name]
    for recipe in recipes:
        text = ", ".join(f"`{key}={value!r}`" for key, value in find(recipe).model_args.items())
        yield f"- `molzoo train --recipe {recipe} --data FILE`: {list_recipes()[recipe]}{' ' + text if text else ''}"
    yield ""


def show_speed(name: str) -> Iterator[str]:
    """Yield the measured speeds of a model, if there are any."""
    record = read_speeds().get(name)
    if record is None:
        return
    numbers = {
        "training, Adam": ("adam", "{:,.4g} molecules/s"),
        "training, GraphSAM": ("graphsam", "{:,.4g} molecules/s"),
        "prediction": ("inference", "{:,.4g} molecules/s"),
        "memory of training": ("adam_peak_mb", "{:,.0f} MB"),
        "memory of prediction": ("inference_peak_mb", "{:,.0f} MB"),
    }
    rows = [(title, form.format(record[key])) for title, (key, form) in numbers.items() if record.get(key)]
    if rows:
        yield f"## Speed\n\n{explain_speed()}\n\n{make_table(('', ''), rows, ' r')}"
