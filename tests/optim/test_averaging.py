"""Averages of the weights against their closed forms and torch's own."""

from __future__ import annotations

import io

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn

import optim


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)).double()


def walk(model, steps=12):
    """Train a little; yields the number of each step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        model(torch.randn(8, 3, dtype=torch.float64)).square().mean().backward()
        optimizer.step()
        yield step


def flat(model):
    return torch.cat([t.detach().double().reshape(-1) for t in [*model.parameters(), *model.buffers()]])


def test_ema_is_its_recursion_and_averages_batch_norm_too():
    model = net()
    average, expected = optim.WeightAverage(model, decay=0.8), None
    for step in walk(model):
        average.update(model, step, 12)
        share = 1 - min(0.8, step / (9 + step))  # n = step - 1 steps are in it already
        now = flat(model)
        expected = now if expected is None else expected + share * (now - expected)
        expected[-1] = now[-1]  # num_batches_tracked is an integer
        torch.testing.assert_close(flat(average.model), expected, rtol=0, atol=1e-12)


def test_swa_is_the_mean_since_its_start_and_torchs_own():
    model = net()
    average, theirs = (
        optim.WeightAverage(model, "swa", start=0.5),
        AveragedModel(model, multi_avg_fn=get_swa_multi_avg_fn()),
    )
    seen = []
    for step in walk(model):
        average.update(model, step, 12)
        assert average.ready is (step > 6)
        if step > 6:
            seen.append(torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone())
            theirs.update_parameters(model)
    ours = torch.nn.utils.parameters_to_vector(average.model.parameters())
    torch.testing.assert_close(ours, torch.stack(seen).mean(0), rtol=0, atol=1e-12)
    # torch divides in float32
    expected = torch.nn.utils.parameters_to_vector(theirs.module.parameters())
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-8)


def test_the_average_takes_the_place_of_the_weights_for_a_block():
    model = net()
    average = optim.WeightAverage(model)
    for step in walk(model):
        average.update(model, step, 12)
    before, places = flat(model), [p.data_ptr() for p in model.parameters()]
    with average.in_place_of(model):
        assert torch.equal(flat(model), flat(average.model))
    assert torch.equal(flat(model), before)
    assert [p.data_ptr() for p in model.parameters()] == places
    assert not torch.equal(flat(average.model), before)


def test_an_average_goes_on_from_its_state():
    model = net()
    average, other = optim.WeightAverage(model), optim.WeightAverage(model)
    for step in walk(model, 10):
        average.update(model, step, 10)
        if step == 5:
            file = io.BytesIO()
            torch.save(average.state_dict(), file)
            file.seek(0)
            other.load_state_dict(torch.load(file, weights_only=True))
        elif step > 5:
            other.update(model, step, 10)
    assert torch.equal(flat(average.model), flat(other.model))


@pytest.mark.parametrize("options", [{"kind": "mean"}, {"decay": 2.0}, {"start": -1.0}])
def test_impossible_options_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        optim.WeightAverage(net(), **options)
