"""The report of a sweep: one self-contained HTML page, and Markdown with its figures next to it."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from zoo.experiments.report import figures, statistics, tables
from zoo.experiments.report.collecting import Collected, collect
from zoo.experiments.report.facts import (
    count_values,
    describe_machine,
    describe_versions,
    duration,
    moment,
    warnings,
)
from zoo.experiments.report.panels import PANELS
from zoo.experiments.report.verdict import Verdict
from zoo.experiments.sweep.specification import Sweep
from zoo.recipe.recipe import NO_OPTIMIZER
from zoo.runs.state import FAILED, FINISHED
from zoo.views.markdown import escape, fence
from zoo.views.themed import to_themed_svg


@dataclass(frozen=True)
class Report:
    """Report of some runs.

    Args:
        collected: The runs, see `collecting.collect`.

    Raises:
        ValueError: None of the runs has finished.
    """

    collected: Collected

    @classmethod
    def read(cls, *paths: str | Path) -> Report:
        """Read folders and tables of results; see `collecting.collect`."""
        return cls(collect(paths))

    @property
    def sweep(self) -> Sweep:
        """The specification, or one that says what the runs have in common."""
        return self.collected.sweep

    @property
    def reference(self) -> str:
        """Optimizer that the others are compared with."""
        return self.sweep.reference

    @property
    def plan(self) -> pd.DataFrame:
        """The runs that were planned, in their order."""
        return self.collected.plan

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of the runs that have ended, in the order of the specification."""
        rows = self.collected.rows
        order = {name: list(getattr(self.sweep, f"{name}s")) for name in ("dataset", "model", "optimizer")}
        order["optimizer"].append(NO_OPTIMIZER)
        keys = [rows[name].map(known.index) for name, known in order.items()]
        return rows.assign(**{f"order{i}": key for i, key in enumerate(keys)}).sort_values(
            [*(f"order{i}" for i in range(len(keys))), "seed"], ignore_index=True
        )

    @cached_property
    def with_result(self) -> pd.DataFrame:
        """Rows with a result, as they were written."""
        rows = self.rows[self.rows["state"] == FINISHED]
        if rows.empty:
            again = f": start `{self.collected.command}` again" if self.collected.command else ""
            raise ValueError(f"{', '.join(self.collected.places)}: no run has finished yet{again}")
        return rows

    @cached_property
    def by_processor(self) -> pd.DataFrame | None:
        """Rows with processor time, see `statistics.by_processor_time`."""
        return statistics.by_processor_time(self.with_result)

    @property
    def finished(self) -> pd.DataFrame:
        """Rows with a result, with processor time where it is known."""
        return self.with_result if self.by_processor is None else self.by_processor

    @property
    def failed(self) -> pd.DataFrame:
        """Rows without a result."""
        return self.rows[self.rows["state"] == FAILED]

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Summary over the seeds, see `statistics.summarize`."""
        return statistics.summarize(self.finished)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """Comparison with the reference, see `statistics.compare`."""
        return statistics.compare(self.finished, self.sweep.reference)

    @cached_property
    def overall(self) -> pd.DataFrame:
        """Comparison over all data sets, see `statistics.across`."""
        return statistics.across(self.comparison, self.summary)

    @cached_property
    def verdict(self) -> Verdict:
        """Comparison over all pairs of runs, within data sets, and at equal time."""
        return Verdict.of(self.finished, self.comparison, self.reference)

    @cached_property
    def palette(self) -> figures.Palette:
        """Colours of the optimizers that have results."""
        names = [name for name in self.sweep.optimizers if name in set(self.finished["optimizer"])]
        return figures.Palette(names)

    def figures(self, narrow: bool = False) -> dict[str, str]:
        """Return the figures as SVG text by name, empty where there are no data; see `draw`."""
        return {name: to_themed_svg(figure) if figure else "" for name, figure in self.draw(narrow).items()}

    def draw(self, narrow: bool = False) -> dict[str, Figure | None]:
        """Draw the figures of `PANELS`.

        Args:
            narrow: For the width of a telephone.

        Returns:
            Figures by name; `None` where there are no data for it, unless it is optional and left out.
        """
        form = figures.NARROW if narrow else figures.WIDE
        drawn = {name: panel.draw(self, form) for name, panel in PANELS.items()}
        return {name: figure for name, figure in drawn.items() if figure or not PANELS[name].optional}

    def tables(self) -> dict[str, tables.Table | None]:
        """Tables by name; `None` for those without rows."""
        made = {
            "verdict": self.verdict.table(),
            "averages": self.verdict.averages_table(),
            "across": tables.across_table(self.overall, self.sweep.reference),
            "results": tables.results_table(self.summary),
            "tasks": tables.tasks_table(self.finished),
            "differences": tables.differences_table(self.comparison),
            "published": tables.published_table(self.sweep.published, self.summary, self.sweep.reference),
            "splits": tables.splits_table(self.finished),
            "failures": tables.failures_table(self.failed),
        }
        return {name: table if table.rows else None for name, table in made.items()}

    def context(self) -> dict[str, Any]:
        """Return the values for the templates."""
        counts = (len(self.finished), len(self.failed), len(self.plan) - len(self.rows))
        return {
            "name": self.sweep.name,
            "reference": self.reference,
            "panels": PANELS,
            "planned": len(self.plan),
            "finished": counts[0],
            "failed": counts[1],
            "open": counts[2],
            "models": list(self.sweep.models),
            "optimizers": list(self.sweep.optimizers),
            "datasets": list(self.sweep.datasets),
            "seeds": list(self.sweep.seeds),
            "splits": sorted(set(self.finished["split"])),
            "comparisons": len(self.comparison),
            "work": duration(self.with_result["wall_seconds"].sum()),
            "colors": self.palette.colors,
            "eigenvalue_molecules": self.sweep.eigenvalue_molecules,
            "published": self.sweep.published,
            "command": self.collected.command,
            "specification": self.sweep.text,
            "clock": "wall-clock" if self.by_processor is None else "processor",
            "results": " ".join(map(shlex.quote, self.collected.places)),
            "started": moment(self.collected.written),
            "ended": moment(self.finished["written"].max()),
            "versions": count_values(self.finished["versions"], describe_versions),
            "machines": count_values(self.finished["machine"], describe_machine),
            "warnings": warnings(self.finished),
            "verdict": self.verdict.sentence,
            "tables": self.tables(),
            "fence": fence(self.collected.command, self.sweep.text),
        }


def write_report(results: str | Path | Sequence[str | Path], folder: str | Path) -> list[Path]:
    """Write `report.html`, `report.md` and the Markdown's figures.

    Args:
        results: Folder of a sweep, of a search, of a run or of many runs, a table `runs.csv`, or several of these.
        folder: Where to write; it is made.

    Returns:
        The two reports.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: It holds nothing to report.
    """
    report = Report.read(*([results] if isinstance(results, (str, Path)) else results))
    context, drawn, narrow = report.context(), report.figures(), report.figures(narrow=True)
    folder = Path(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, svg in filter(all, drawn.items()):
        (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
    html, markdown = folder / "report.html", folder / "report.md"
    embedded = {name: svg and {"wide": data_uri(svg), "narrow": data_uri(narrow[name])} for name, svg in drawn.items()}
    html.write_text(render("report.html.jinja", figures=embedded, **context), encoding="utf-8")
    links = {name: svg and f"figures/{name}.svg" for name, svg in drawn.items()}
    markdown.write_text(render("report.md.jinja", figures=links, **context), encoding="utf-8")
    return [html, markdown]


def data_uri(svg: str) -> str:
    """An SVG as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def render(template: str, **context: Any) -> str:
    """Fill a template; what comes from data is escaped: in HTML all of it, in Markdown by the filter `word`."""
    html = template.endswith(".html.jinja")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("zoo.experiments.report"),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["word"] = str if html else escape
    return environment.get_template(template).render(**context)
