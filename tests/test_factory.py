import pytest
import torch

import optim
import zoo
from featurizers import CanonicalFeaturizer, GroverFeaturizer
from zoo.registry.catalog import OPTIMIZERS
from zoo.registry.registry import UnknownName

SMALL = {"hidden_size": 16, "num_layers": 2, "num_heads": 2}


def test_names_classes_and_objects_build_the_same_thing():
    from zoo.models.grover import Grover

    by_name = zoo.build("grover", optimizer="graphsam", model_args=SMALL)
    by_class = zoo.build(Grover, optimizer=optim.GraphSAM, featurizer=GroverFeaturizer, model_args=SMALL)
    for built in (by_name, by_class):
        assert isinstance(built.model, Grover)
        assert isinstance(built.optimizer, optim.GraphSAM)
        assert isinstance(built.featurizer, GroverFeaturizer)
    assert by_name.recipe == by_class.recipe
    assert all(torch.equal(a, b) for a, b in zip(by_name.model.parameters(), by_class.model.parameters(), strict=True))

    model = by_name.model
    ready = zoo.build(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), featurizer=GroverFeaturizer())
    assert ready.model is model
    assert isinstance(ready.optimizer, torch.optim.SGD)


def test_rule_and_base_options_are_told_apart():
    learner = zoo.build(
        "grover", optimizer="sam", model_args=SMALL, optimizer_args={"rho": 0.2, "base": "adamw", "lr": 3e-4}
    )
    assert isinstance(learner.optimizer.base, torch.optim.AdamW)
    assert learner.optimizer.rho == 0.2
    assert learner.optimizer.param_groups[0]["lr"] == 3e-4


@pytest.mark.parametrize("entry", list(OPTIMIZERS), ids=lambda entry: entry.name)
def test_every_optimizer_builds_and_describes(entry):
    learner = zoo.build("grover", optimizer=entry.name, model_args=SMALL)
    assert isinstance(learner.optimizer, torch.optim.Optimizer)
    text = str(zoo.describe(entry.name))
    assert entry.summary in text
    assert "lr " in text


def test_every_rule_of_optim_is_in_the_catalog():
    assert set(optim.RULES) - {"unperturbed"} <= set(OPTIMIZERS.names())


def test_num_tasks_and_task_come_from_the_data_set(small):
    learner = zoo.build("grover", dataset=small, model_args=SMALL)
    assert (learner.recipe.num_tasks, learner.recipe.task, learner.fitted.task_names) == (1, "classification", ("bbb",))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "grovr"}, UnknownName, "Did you mean 'grover'"),
        ({"optimizer": "graphsan"}, UnknownName, "Did you mean 'graphsam'"),
        ({"featurizer": "canonicl"}, UnknownName, "Did you mean 'canonical'"),
        ({"model_args": {"hidden": 3}}, TypeError, r"model 'grover' has no option 'hidden'.*hidden_size"),
        ({"model_args": {"num_tasks": 3}}, TypeError, "has no option 'num_tasks'"),
        ({"optimizer_args": {"rhoo": 3}}, TypeError, r"optimizer 'adam' has no option 'rhoo'.*lr"),
        ({"optimizer": "sam", "optimizer_args": {"rho": -1}}, ValueError, "rho"),
        ({"optimizer": "sam", "optimizer_args": {"no_sync": None}}, TypeError, "has no option 'no_sync'"),
        ({"featurizer_args": {"x": 1}}, TypeError, "featurizer 'grover' has no option 'x'"),
        ({"featurizer": GroverFeaturizer(), "featurizer_args": {"max_atoms": 1}}, TypeError, "built already"),
        ({"task": "ranking"}, ValueError, "task='ranking'"),
        ({"num_tasks": 0}, ValueError, "num_tasks=0"),
        ({"model": 3}, TypeError, "give a name, a class"),
        ({"model": "nowhere.models:Model"}, ValueError, "cannot be imported"),
    ],
)
def test_mistakes_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        zoo.build(**{"model": "grover", **arguments})


def test_optimizer_of_another_model_is_refused():
    other = torch.optim.Adam(torch.nn.Linear(2, 1).parameters())
    with pytest.raises(ValueError, match="not the model's"):
        zoo.build("grover", optimizer=other, model_args=SMALL)


@pytest.fixture
def own_models():
    with zoo.catalog.MODELS.restored():
        yield


@pytest.mark.usefixtures("own_models")
def test_registered_parts_are_built_by_name():

    @zoo.register_model("mean_atom", featurizer="canonical", summary="a test")
    class MeanAtom(torch.nn.Module):
        def __init__(self, num_tasks: int, atom_size: int, scale: float = 1.0):
            super().__init__()
            self.head = torch.nn.Linear(atom_size, num_tasks)
            self.scale = scale

        def forward(self, graph):
            from zoo.layers.message_passing import mean_nodes

            return self.head(self.scale * mean_nodes(graph.graph, graph.atom_feats))

    learner = zoo.build("Mean-Atom", num_tasks=3, model_args={"scale": 2.0})
    assert isinstance(learner.featurizer, CanonicalFeaturizer)
    assert learner.predict(["CCO", "C"]).shape == (2, 3)
    with pytest.raises(ValueError, match="registered already"):
        zoo.register_model("mean_atom")(MeanAtom)


def test_public_names_are_lazy_and_complete():
    for name in zoo.__all__:
        assert getattr(zoo, name) is not None
