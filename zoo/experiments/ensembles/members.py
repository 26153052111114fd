"""Members at work: in this process or in several, each in its own run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from zoo.data import MoleculeDataset
from zoo.experiments import experiment
from zoo.experiments.card import CardOptions
from zoo.experiments.ensembles.plan import Member
from zoo.experiments.outcome import TrainingDiverged
from zoo.experiments.sweep.workers import describe_end, start_workers
from zoo.runs.folder import RunFolder
from zoo.runs.lifetime import stop_on_signals
from zoo.runs.state import FAILED, FINISHED, OPEN


@dataclass(frozen=True)
class Setting:
    """Circumstances of training that change no recipe.

    Args:
        workers: Processes, at least 1; 1 trains one member after another in this process, with all its threads.
        device: As in `zoo.build`.
        trust: As in `zoo.load`.
        progress: As in `Learner.fit`; several processes show no bars.
        callbacks: As in `Learner.fit`, where one process trains.
        projector: As in `experiment.run`.
        report: Called with one line for each member; None prints nothing.
        card: As in `experiment.run`, for each member.
    """

    workers: int = 1
    device: str = "auto"
    trust: bool = False
    progress: bool | None = None
    callbacks: Sequence[Any] = ()
    projector: int | None = None
    report: Callable[[str], None] | None = None
    card: CardOptions | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers={self.workers}: give a whole number of at least 1")

    def say(self, line: str) -> None:
        """Report a line, if anybody listens."""
        if self.report is not None:
            self.report(line)


@dataclass(frozen=True)
class MemberFolders:
    """The run folders of the members.

    Args:
        path: The folder of the ensemble.
    """

    path: Path

    def folder(self, member: Member) -> RunFolder:
        """Folder of a member."""
        return RunFolder(self.path / member.name)

    def done(self, member: Member) -> str | None:
        """State of a member that has ended ("finished" or "failed"); `None` for others, and for more epochs."""
        folder = self.folder(member)
        state, stored, asked = folder.state.name, folder.recipe, member.recipe.training
        if state == FINISHED and stored and stored.training and asked and stored.training.epochs != asked.epochs:
            return None
        return state if state in (FINISHED, FAILED) else None


def train_one_by_one(
    members: Sequence[Member], folders: MemberFolders, dataset: MoleculeDataset, setting: Setting, resume: bool
) -> None:
    """Train members in this process; one whose loss diverges does not stop the others."""
    for member in members:
        folder = folders.folder(member)
        if resume and folders.done(member) == FINISHED:
            setting.say(f"{member.name}: {describe_end(folder)}, as before")
            continue
        setting.say(f"member     {member.name}")
        with suppress(TrainingDiverged):  # the folder keeps the reason
            experiment.run(
                member.recipe,
                dataset=dataset,
                folder=folder.path,
                resume=resume,
                progress=setting.progress,
                callbacks=setting.callbacks,
                device=setting.device,
                projector=setting.projector,
                trust=setting.trust,
                card=setting.card,
            )


def train_side_by_side(
    members: Sequence[Member], folders: MemberFolders, dataset: MoleculeDataset, setting: Setting, resume: bool
) -> None:
    """Train members in several processes, of one thread each."""
    for member in members:
        folder = folders.folder(member)
        if not resume:
            folder.refuse_second_run()
        elif folder.state.name == FAILED:
            folder.set_state(OPEN, deaths=0)
    for_processes = Setting(device=setting.device, trust=setting.trust, card=setting.card)
    do = partial(train_member, dataset=dataset, setting=for_processes)
    with stop_on_signals():
        number = min(setting.workers, len(members))
        start_workers(number, (list(members), folders, do, setting.report), threads_each=1)


def train_member(member: Member, folder: RunFolder, *, dataset: MoleculeDataset, setting: Setting) -> None:
    """Train a member, or what is left of its training; how it ends is in its folder, which is claimed."""
    with suppress(Exception), folder.running():
        folder.note(planned=member.to_plan())
        experiment.run(
            member.recipe,
            dataset=dataset,
            folder=folder,
            resume=True,
            progress=False,
            device=setting.device,
            trust=setting.trust,
            card=setting.card,
        )
