"""Weights that share memory are written and read: tied ones, and those that a GPU keeps in one block."""

import pytest
import safetensors.torch
import torch
from torch import nn

import zoo
from zoo.runs.weights import copy_weights, put_weights


def lay_side_by_side(layer: nn.Module) -> None:
    """Make the weights of a layer views of one block, as `flatten_parameters` does where there is cuDNN."""
    block, start = torch.cat([weight.data.flatten() for weight in layer.parameters()]), 0
    for weight in layer.parameters():
        weight.data = block[start : start + weight.numel()].view(weight.shape)
        start += weight.numel()


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight


def test_a_model_whose_recurrent_weights_lie_in_one_block_is_saved_and_loaded(tmp_path):
    learner = zoo.build("compt", model_args={"hidden_size": 8, "num_layers": 2}, device="cpu")
    layers = [module for module in learner.model.modules() if isinstance(module, nn.RNNBase)]
    assert layers
    before = learner.predict(["CCO", "c1ccccc1"])
    for layer in layers:
        lay_side_by_side(layer)
    learner.save(tmp_path / "saved")
    assert (zoo.load(tmp_path / "saved", device="cpu").predict(["CCO", "c1ccccc1"]) == before).all()

    weights = copy_weights(learner.model)
    with torch.no_grad():
        for weight in learner.model.parameters():
            weight.zero_()
    put_weights(learner.model, weights)
    assert all(torch.equal(weights[name], weight) for name, weight in learner.model.state_dict().items())


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    model, other = Tied(), Tied()
    weights = copy_weights(model)
    assert sorted(weights) == ["first.bias", "first.weight", "second.bias"]
    safetensors.torch.save_file(weights, tmp_path / "weights.safetensors")
    put_weights(other, safetensors.torch.load_file(tmp_path / "weights.safetensors"))
    assert other.second.weight is other.first.weight
    assert torch.equal(other.second.weight, model.first.weight)


def test_either_name_of_tied_weights_is_enough():
    model, other = Tied(), Tied()
    weights = copy_weights(model)
    weights["second.weight"] = weights.pop("first.weight")
    put_weights(other, weights)
    assert torch.equal(other.first.weight, model.first.weight)


def test_copies_do_not_change_with_the_model():
    model = nn.Linear(2, 2)
    weights = copy_weights(model)
    before = {name: weight.clone() for name, weight in weights.items()}
    nn.init.zeros_(model.weight)
    assert all(torch.equal(weights[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda weights: weights.pop("first.weight"), r"weights are missing \(1, first 'first.weight'\)"),
        (lambda weights: weights.update(more=torch.zeros(1)), r"have no place in the model \(1, first 'more'\)"),
        (lambda weights: weights.update({"first.bias": torch.zeros(4)}), "size mismatch"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, reason):
    weights = copy_weights(Tied())
    change(weights)
    with pytest.raises(RuntimeError, match=reason):
        put_weights(Tied(), weights)


def test_a_weight_that_is_tied_to_an_untrained_part_is_loaded():
    model, other = Tied(), Tied()
    put_weights(other, copy_weights(model), untrained=["first"])
    assert torch.equal(other.second.weight, model.first.weight)


def test_untrained_parts_keep_what_they_have():
    model, other = Tied(), Tied()
    before = other.second.bias.detach().clone()
    weights = copy_weights(model)
    del weights["second.bias"]
    weights["words.weight"] = torch.zeros(3)  # of the head with which the encoder was pre-trained
    put_weights(other, weights, untrained=["second"])
    assert torch.equal(other.second.bias, before)
    assert torch.equal(other.first.bias, model.first.bias)
