"""`Metrics`: counters of a server in the text format of Prometheus."""

from __future__ import annotations

import os
import sys
from bisect import bisect_left
from collections import Counter
from pathlib import Path

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
HELP = {
    "molzoo_requests_total": "Requests by route and status",
    "molzoo_rows_total": "Rows that runs were asked to predict",
    "molzoo_rows_failed_total": "Rows without a prediction",
    "molzoo_prediction_seconds_total": "Seconds from question to answer of a run's process",
    "molzoo_jobs_total": "Jobs by their end",
}


class Metrics:
    """Counters, and how long requests took."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.buckets: dict[str, list[int]] = {}
        self.seconds: Counter[str] = Counter()

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self.counts[name, format_labels(labels)] += amount  # type: ignore[assignment]

    def time(self, route: str, seconds: float) -> None:
        """Note how long a request took."""
        self.buckets.setdefault(route, [0] * (len(BOUNDS) + 1))[bisect_left(BOUNDS, seconds)] += 1
        self.seconds[route] += seconds  # type: ignore[assignment]

    def to_text(self, gauges: dict[str, float]) -> str:
        """Return everything, with numbers of the moment by name and labels."""
        lines: list[str] = []
        for name, text in HELP.items():
            lines += [f"# HELP {name} {text}.", f"# TYPE {name} counter"]
            lines += [f"{name}{labels} {value:g}" for (each, labels), value in self.counts.items() if each == name]
        lines += self._histogram()
        gauges = {**gauges, **({"process_resident_memory_bytes": memory} if (memory := resident_bytes()) else {})}
        for name in dict.fromkeys(key.partition("{")[0] for key in gauges):
            lines.append(f"# TYPE {name} gauge")
            lines += [f"{key} {value:g}" for key, value in gauges.items() if key.partition("{")[0] == name]
        return "\n".join([*lines, ""])

    def _histogram(self) -> list[str]:
        name = "molzoo_request_seconds"
        lines = [f"# HELP {name} Seconds from the first byte of a request to the last one of its answer.",
                 f"# TYPE {name} histogram"]  # fmt: skip
        for route, counts in self.buckets.items():
            total = 0
            for bound, count in zip([*map(str, BOUNDS), "+Inf"], counts, strict=True):
                total += count
                lines.append(f"{name}_bucket{format_labels({'route': route, 'le': bound})} {total}")
            labels = format_labels({"route": route})
            lines += [f"{name}_sum{labels} {self.seconds[route]:g}", f"{name}_count{labels} {total}"]
        return lines


def format_labels(labels: dict[str, str]) -> str:
    r"""Return labels as Prometheus reads them.

    Example:
        >>> format_labels({"run": 'a"b'})
        '{run="a\\"b"}'
    """
    texts = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{text}"' for name, text in texts.items()) + "}" if texts else ""


def resident_bytes(pid: int | None = None) -> int:
    """Return the memory of a process, this one unless another is named; 0 where the system does not tell it so."""
    if not sys.platform.startswith("linux"):
        return 0
    pages = Path(f"/proc/{pid or 'self'}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
