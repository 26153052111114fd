"""`RunLog`: the one TensorBoard event file of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.runs.lifetime import hold_signals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVENT_FILES = "events.out.tfevents.*"
# Pages about a finished run: they are written anew when the run continues.
FINAL_PAGES = ("_hparams_/", "best/", "test/")


class RunLog:
    """Writer of a run's TensorBoard entries; callbacks get it as `run.log`.

    The event file is made at the first entry, so that a start which fails leaves none. A thread of TensorBoard's writes
    it; a signal waits until an entry is handed over.

    Args:
        folder: Where the event file goes; `None` writes nothing.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = None if folder is None else Path(folder)
        self._writer: Any = None
        self._earlier: list[Any] = []

    def __bool__(self) -> bool:
        return self.folder is not None

    @hold_signals()
    def continue_at(self, step: int) -> None:
        """Keep the entries of an interrupted run up to a step; later ones are written again by the run itself."""
        if self.folder is None or self._writer is not None:
            return
        files = sorted(self.folder.glob(EVENT_FILES))
        if files:
            self._earlier = list(read_events(files, step))
            self.writer()
            for path in files:
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the event files of a failed start."""
        if self.folder is not None:
            for path in self.folder.glob(EVENT_FILES):
                path.unlink(missing_ok=True)

    def writer(self) -> Any:
        """Return the `SummaryWriter`, opened at its first use."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder))
            for event in self._earlier:
                self._writer.file_writer.event_writer.add_event(event)
            self._earlier = []
        return self._writer

    @hold_signals()
    def scalars(self, values: Mapping[str, float | None], step: int) -> None:
        """Add numbers by name; missing and infinite ones are left out."""
        for name, value in values.items():
            if self and value is not None and np.isfinite(value):
                self.writer().add_scalar(name, float(value), step)

    @hold_signals()
    def text(self, name: str, text: str, step: int) -> None:
        """Add a text (Markdown)."""
        if self:
            self.writer().add_text(name, text, step)

    @hold_signals()
    def figure(self, name: str, figure: Figure, step: int) -> None:
        """Add a figure."""
        if self:
            self.writer().add_figure(name, figure, step)

    @hold_signals()
    def image(self, name: str, picture: np.ndarray, step: int) -> None:
        """Add a picture (height, width, 3) in [0, 1]."""
        if self:
            self.writer().add_image(name, picture, step, dataformats="HWC")

    @hold_signals()
    def pr_curve(self, name: str, labels: np.ndarray, probabilities: np.ndarray, step: int, thresholds: int) -> None:
        """Add a precision-recall curve of labels (n,) and probabilities (n,)."""
        if self:
            self.writer().add_pr_curve(name, labels, probabilities, step, thresholds)

    @hold_signals()
    def embedding(
        self,
        vectors: np.ndarray,
        rows: Sequence[Sequence[str]],
        header: Sequence[str],
        sprites: np.ndarray | None,
        step: int,
    ) -> None:
        """Add vectors (n, D), their cells (n, columns) and drawings (n, 3, size, size), if any, to the projector."""
        if self:
            import torch

            pictures = None if sprites is None else torch.from_numpy(sprites)
            self.writer().add_embedding(vectors, list(rows), pictures, step, tag="test", metadata_header=list(header))

    @hold_signals()
    def hparams(self, values: Mapping[str, Any], metrics: Mapping[str, float | None]) -> None:
        """Add the row of the HParams page: options, and the names of the metrics (whose values are scalars)."""
        if self:
            from torch.utils.tensorboard.summary import hparams

            chosen = {name: value for name, value in values.items() if value is not None}
            for summary in hparams(chosen, dict.fromkeys(metrics)):
                self.writer().file_writer.add_summary(summary)

    @hold_signals()
    def flush(self) -> None:
        """Write waiting entries to the file."""
        if self._writer is not None:
            self._writer.flush()

    @hold_signals()
    def close(self) -> None:
        """Close the event file; a later entry would open another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def read_events(files: Sequence[Path], step: int) -> Iterator[Any]:
    """Yield the entries of event files up to a step, without the pages about a finished run."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    for path in files:
        for event in LegacyEventFileLoader(str(path)).Load():
            if event.HasField("summary") and event.step <= step:
                tags = [value.tag for value in event.summary.value]
                if not any(tag.startswith(FINAL_PAGES) for tag in tags):
                    yield event
