"""Modes of a model: predicting leaves them alone, `fit` sets them."""

import torch

import zoo
from zoo.training.modes import eval_mode

SMALL = {"hidden_size": 8, "num_layers": 2}


def test_the_last_one_out_restores_the_mode_of_every_submodule():
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.BatchNorm1d(2))
    model[1].eval()  # frozen by its owner
    first, second = eval_mode(model), eval_mode(model)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not model[0].training
    second.__exit__(None, None, None)
    assert [model.training, model[0].training, model[1].training] == [True, True, False]


def test_fit_trains_in_train_mode_and_ends_in_eval_mode(small):
    learner = zoo.build("gin", model_args=SMALL, device="cpu")
    learner.model.eval()
    seen = []

    class Watch:
        def on_step_end(self, run):
            seen.append(run.model.training)

    learner.fit(small, epochs=1, progress=False, callbacks=[Watch()])
    assert seen
    assert all(seen)
    assert not any(module.training for module in learner.model.modules())
