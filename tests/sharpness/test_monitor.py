"""Sharpness over the epochs of a run."""

import pytest
import torch
from torch import nn

import zoo
from zoo.sharpness import SharpnessMonitor


def test_the_monitor_watches_without_changing_the_run(dataset, tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def train(folder: str, callbacks: list) -> nn.Module:
        args = {"hidden_size": 8, "num_layers": 2, "dropout": 0.2}
        learner = zoo.build("grover", optimizer="graphsam", model_args=args, device="cpu")
        learner.fit(
            dataset,
            split="random",
            epochs=4,
            batch_size=4,
            callbacks=callbacks,
            progress=False,
            logdir=tmp_path / folder,
        )
        return learner.model

    monitor = SharpnessMonitor(every=2, max_molecules=6, directions=1, stochastic=True)
    watched, alone = train("watched", [monitor]), train("alone", [])
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), alone.parameters(), strict=True))
    assert sorted(monitor.reports) == [1, 3]
    events = EventAccumulator(str(tmp_path / "watched")).Reload()
    written = events.Scalars("sharpness/loss_rise")
    assert [e.value for e in written] == pytest.approx([monitor.reports[e].loss_rise for e in (1, 3)])
    assert len(events.Scalars("sharpness/largest_eigenvalue")) == len(events.Scalars("sharpness/trace")) == 2
    with pytest.raises(ValueError, match="every=0"):
        SharpnessMonitor(every=0)
    with pytest.raises(TypeError, match="probes"):
        SharpnessMonitor(probes=3)
