"""`Card`: everything on the card of a run, and its two files."""

from __future__ import annotations

import json
import shlex
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from zoo.experiments.card import findings, pictures, tables
from zoo.experiments.card.checks import Certainty, Forest, Leaks, read_certainty, without_forest
from zoo.experiments.card.source import CardSource
from zoo.learners.learner import Learner
from zoo.runs.json_files import write_text
from zoo.views.markdown import escape, fence

TEMPLATES = Path(__file__).with_name("templates")
MOST_SHOWN = 300


@dataclass(frozen=True)
class CardOptions:
    """Options of a card.

    Args:
        forest: Train a random forest on the same molecules for comparison.
        command: The command that made the run, as words; empty where it was Python.
    """

    forest: bool = True
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """Card of a run; what takes time is computed once.

    Args:
        source: Model, data and predictions.
        options: See there.
    """

    source: CardSource
    options: CardOptions = CardOptions()

    @cached_property
    def leaks(self) -> Leaks:
        """Molecules that the parts share."""
        return Leaks.of(self.source)

    @cached_property
    def forest(self) -> Forest:
        """Forest on the same molecules."""
        if self.source.scores is None or not self.options.forest:
            return without_forest("no random forest was asked for")
        return Forest.of(self.source)

    @cached_property
    def certainty(self) -> list[Certainty]:
        """Measures of calibrated predictions."""
        return read_certainty(self.source)

    @property
    def headline(self) -> str:
        """Result in a line."""
        return findings.headline(self.source, self.forest)

    @property
    def title(self) -> str:
        """Model and data."""
        recipe = self.source.learner.recipe
        trainer = "" if recipe.optimizer in ("", "none") else f" with {recipe.optimizer}"
        return f"{recipe.model}{trainer} on {self.source.dataset.name}"

    @cached_property
    def content(self) -> dict[str, Any]:
        """Return what the templates show."""
        source = self.source
        measured = source.scores is not None
        best, worst = pictures.draw_extremes(source) if measured else ([], [])
        return {
            "title": self.title,
            "headline": self.headline,
            "findings": findings.find(source, self.leaks, self.forest, self.certainty),
            "scores": tables.tabulate_scores(source, self.forest),
            "parts": tables.tabulate_parts(source),
            "leaks": tables.tabulate_leaks(self.leaks) if measured else None,
            "certainty": tables.tabulate_certainty(self.certainty) if self.certainty else None,
            "certain": pictures.draw_certainty(source),
            "calibration": describe_calibration(source),
            "quality": pictures.draw_quality(source) if measured else [],
            "similarity": pictures.draw_domain(source) if measured else None,
            "domain": source.domain,
            "outside": float(1 - source.resemblance.in_domain.mean()) if measured else None,
            "best": best,
            "worst": worst,
            "limits": findings.limits(source, self.forest),
            "data": describe_data(source),
            "model": describe_model(source),
            "commands": self.commands,
            "versions": source.facts.get("versions") or {},
            "machine": source.facts.get("machine") or {},
            "recipe": source.learner.request.to_json(),
        }

    @property
    def commands(self) -> list[str]:
        """Commands that repeat the run."""
        words = self.options.command or tuple(self.source.facts.get("command") or ())
        again = shlex.join(["molzoo", "train", "--recipe", str(self.source.place.path / "recipe.json")])
        return [*([shlex.join(words)] if words else []), again]

    def to_html(self) -> str:
        """Return the page, which needs no other file."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        return environment.get_template("card.html.jinja").render(self.content)

    def to_markdown(self) -> str:
        """Return the card as Markdown; its pictures are those next to it in the folder."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters["md"] = escape
        content = self.content
        fences = fence(content["recipe"], *content["commands"])
        there = [name for name in ("test", "learning_curve") if self.source.place.picture(name).exists()]
        return environment.get_template("card.md.jinja").render(content, fence=fences, pictures=there)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{jinja2.utils.markupsafe.escape(self.to_html())}" width="100%" height="720"></iframe>'


def write_card(source: CardSource, options: CardOptions = CardOptions()) -> Card:
    """Write `card.html` and `card.md` into the folder of a run."""
    if options.command:
        source.place.note(command=list(options.command))
    card = Card(source, options)
    write_text(source.place.card(".html"), card.to_html())
    write_text(source.place.card(".md"), card.to_markdown())
    return card


def try_card(source: CardSource, options: CardOptions) -> str:
    """Write the card of a run that has just ended and return its headline; a fault of the card fails no run."""
    try:
        return write_card(source, options).headline
    except Exception as error:  # whatever it is, the training and its results are there
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:MOST_SHOWN]
        warnings.warn(f"the card could not be written ({reason}): `molzoo card {source.place.path}` tries again",
                      stacklevel=3)  # fmt: skip
        return ""


def describe_calibration(source: CardSource) -> list[str]:
    """Describe what was calibrated, a line for each task; empty where nothing was."""
    from zoo.trust.calibration import CALIBRATED, Calibration

    found = Calibration.of(source.learner.fitted, CALIBRATED)
    return [] if found is None else found.describe(source.learner.fitted.output_names).split("\n")[: tables.MOST_TASKS]


def describe_data(source: CardSource) -> list[tuple[str, str]]:
    """Describe the data in pairs of words."""
    dataset, split, options = source.dataset, source.split, source.learner.request.asked_data
    names = ", ".join(dataset.task_names[:8]) + (f", ... ({dataset.num_tasks})" if dataset.num_tasks > 8 else "")
    return [
        ("source", options.source),
        ("molecules", f"{len(dataset):,}" + (f"; {len(dataset.invalid):,} unreadable" if dataset.invalid else "")),
        ("tasks", f"{names} ({dataset.task})"),
        ("split", f"{split.name}, seed {split.seed}"),
        ("tested on", options.test_file or "the test part"),
        ("SHA-256 of content", dataset.fingerprint),
        *[("note", note[:MOST_SHOWN]) for note in dataset.notes[:6]],
    ]


def describe_model(source: CardSource) -> list[tuple[str, str]]:
    """Describe model and training in pairs of words."""
    learner, results = source.learner, source.results
    recipe = learner.recipe
    rows = [
        ("model", recipe.model),
        ("parameters", f"{learner.num_parameters:,}"),
        ("featurizer", recipe.featurizer),
        ("seed", str(recipe.seed)),
    ]
    if isinstance(learner, Learner):
        options = json.dumps(dict(recipe.optimizer_args)) if recipe.optimizer_args else ""
        rows += [
            ("optimizer", f"{recipe.optimizer} {options}".strip()),
            ("epochs", f"{results.get('epochs', '-')}, best {results.get('best_epoch') or '-'}"),
        ]
    seconds = results.get("seconds")
    return [*rows, *([("training time", f"{seconds:,.1f} s")] if isinstance(seconds, (int, float)) else [])]
