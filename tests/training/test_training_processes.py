"""Devices and replicas of several training processes."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from zoo.runs.checkpoint import CheckpointError
from zoo.training import distributed
from zoo.training.resuming import compare_ranks


@pytest.mark.parametrize(
    ("device", "gpus", "number", "expected"),
    [
        ("auto", 2, 1, "cuda:1"),
        ("cuda", 2, 0, "cuda:0"),
        ("auto", 0, 1, "cpu"),
        ("cpu", 2, 1, "cpu"),
        ("mps", 0, 0, "mps"),
    ],
)
def test_each_process_has_a_device_of_its_own(monkeypatch, device, gpus, number, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert distributed.device_of_process(device, number) == expected


@pytest.mark.parametrize(
    ("device", "number", "message"), [("cuda:0", 1, "each takes its own"), ("cuda", 2, "--nproc-per-node")]
)
def test_devices_that_processes_cannot_share(monkeypatch, device, number, message):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=message):
        distributed.device_of_process(device, number)


def test_one_process_keeps_what_was_asked_for(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert distributed.initialize("cuda:1") == "cuda:1"


@pytest.mark.parametrize(("device", "backend"), [("cpu", "gloo"), ("cuda", "cpu:gloo,cuda:nccl")])
def test_the_backend_follows_the_device(monkeypatch, device, backend):
    asked, chosen = [], []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", asked.append)
    assert distributed.initialize(device) == ("cuda:1" if device == "cuda" else "cpu")
    assert asked == [backend]
    assert chosen == (["cuda:1"] if device == "cuda" else [])


@pytest.mark.parametrize(("depth", "expected"), [(None, False), ("truncnorm", True)])
def test_unused_parameters_are_looked_for_where_depths_are_drawn(monkeypatch, depth, expected):
    found = {}
    monkeypatch.setattr(distributed, "size", lambda: 2)
    monkeypatch.setattr(distributed, "DistributedDataParallel", lambda model, **options: found.update(options))
    model = nn.Sequential(nn.Linear(1, 1))
    model[0].dynamic_depth = depth
    distributed.replicate(model)
    assert found == {"find_unused_parameters": expected}


def test_another_number_of_processes_is_reported():
    with pytest.warns(UserWarning, match=r"runs/a was trained by 4 processes and goes on with 2: .* but for rounding"):
        compare_ranks(Path("runs/a"), 4, 2, apart=False)
    with pytest.raises(CheckpointError, match=r"m-sharpness depends on their number.*--nproc-per-node 4"):
        compare_ranks(Path("runs/a"), 4, 2, apart=True)


@pytest.mark.parametrize("before", [2, None])
def test_the_same_number_of_processes_and_an_unknown_one_go_on(before):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare_ranks(Path("runs/a"), before, 2, apart=True)
