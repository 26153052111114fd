"""Lines and planes through the loss landscape, and their pictures."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.closed_forms import quadratic

import zoo
from zoo.sharpness import LossSurface, draw, landscape, segment
from zoo.sharpness.slices import filter_normalized


def test_directions_are_as_long_as_the_weights_filter_by_filter(grover) -> None:
    weights = [p for p in grover.model.parameters() if p.requires_grad]
    first, second = filter_normalized(weights, 0, 2)
    for w, d, other in zip(weights, first.tensors, second.tensors, strict=True):
        if w.dim() < 2:
            assert not d.any()
        else:
            torch.testing.assert_close(d.flatten(1).norm(dim=1), w.flatten(1).norm(dim=1))
            assert not w.any() or not torch.equal(d, other)


def test_landscape_of_a_quadratic_is_the_quadratic(dataset, monkeypatch) -> None:
    w = torch.randn(6, dtype=torch.float64)
    surface, matrix = quadratic(w)
    monkeypatch.setattr(LossSurface, "of", lambda *_, **__: surface)
    learner = SimpleNamespace(recipe=SimpleNamespace(optimizer="adam"))
    grid = landscape(learner, dataset, points=5, span=2.0, seed=4)
    d, e = (torch.cat([t.flatten() for t in v.tensors]) for v in filter_normalized(surface.weights, 4, 2))
    for i, alpha in enumerate(np.linspace(-2, 2, 5)):
        for j, beta in enumerate(np.linspace(-2, 2, 5)):
            at = w + alpha * d + beta * e
            assert grid.losses[i, j] == pytest.approx(float(at @ matrix @ at) / 2, rel=1e-9)
    line = landscape(learner, dataset, points=5, span=2.0, seed=4, dimensions=1)
    np.testing.assert_allclose(line.losses, grid.losses[:, 2])
    assert line.betas is None
    json.dumps(grid.to_dict())


def test_segment_ends_at_the_two_models(grover, dataset) -> None:
    other = zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2}, seed=1, device="cpu")
    line = segment(grover, other, dataset, points=5, margin=0.5)
    np.testing.assert_allclose(line.alphas, [-0.5, 0, 0.5, 1, 1.5])
    assert line.losses[1] == pytest.approx(LossSurface.of(grover, dataset).loss(), rel=1e-6)
    assert line.losses[3] == pytest.approx(LossSurface.of(other, dataset).loss(), rel=1e-6)
    wider = zoo.build("grover", model_args={"hidden_size": 16, "num_layers": 2}, device="cpu")
    with pytest.raises(ValueError, match="shapes"):
        segment(grover, wider, dataset)


def test_pictures(grover, dataset, tmp_path) -> None:
    grids = [landscape(grover, dataset, points=3, name=name) for name in ("one", "two")]
    line = landscape(grover, dataset, points=3, dimensions=1)
    for number, slices in enumerate((grids, grids[:1], [line], [line, line])):
        file = tmp_path / f"{number}.png"
        draw(*slices).savefig(file)
        assert file.stat().st_size > 5000
    with pytest.raises(ValueError, match="grids"):
        draw(line, *grids)
    with pytest.raises(ValueError, match="landscapes"):
        draw()
    with pytest.raises(ValueError, match="diverged"):
        draw(dataclasses.replace(line, losses=np.full(3, np.nan)))


@pytest.mark.parametrize("options", [{"points": 4}, {"points": 1}, {"dimensions": 3}, {"span": 0.0}])
def test_slices_out_of_range_are_named(grover, dataset, options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        landscape(grover, dataset, **options)
