import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizers import GroverFeaturizer, MoleculeGraph, PackedMolecules
from featurizers.tensor_graph import TensorGraph
from zoo.layers import surroundings as module
from zoo.layers.dropping import dropping_modules
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.surroundings import MOST_NEIGHBORS, Surroundings, compute_every_row
from zoo.models.dmpnn import DMPNN, DMPNNConfig
from zoo.models.grover import Grover, GroverConfig

SMILES = (
    "CC(C)(C)Oc1ccccc1",
    "c1ccsc1C(=O)N",
    "CCCCCC",
    "C[C@H](N)C(=O)O",
    "OC1CCC(Cl)CC1",
    "C",
    "[Na+].[Cl-]",
    "FC(F)(F)F",
)
MODELS = {
    "dmpnn": (DMPNN, DMPNNConfig, {"num_layers": 4, "bias": True}),
    "dmpnn without steps": (DMPNN, DMPNNConfig, {"num_layers": 1}),
    "grover": (Grover, GroverConfig, {"dynamic_depth": None, "bias": True}),
    "grover without steps": (Grover, GroverConfig, {"dynamic_depth": None, "num_layers": 1}),
    "grover of two blocks": (Grover, GroverConfig, {"dynamic_depth": None, "num_blocks": 2, "num_layers": 3}),
    "grover of drawn depths": (Grover, GroverConfig, {"dynamic_depth": "truncnorm", "num_layers": 3}),
    "grover with padding": (Grover, GroverConfig, {"dynamic_depth": None, "released_padding": True}),
    "grover with bonds": (Grover, GroverConfig, {"dynamic_depth": None, "embedding_output": "both"}),
}


@pytest.fixture(autouse=True)
def _however_small(monkeypatch):
    """Let models share states that are too small for it to pay."""
    monkeypatch.setattr(module, "WORTHWHILE", 0)


def molecules(*smiles: str) -> MoleculeGraph:
    featurizer = GroverFeaturizer()
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(text)) for text in smiles]))


def build(name: str, **options):
    cls, config, own = MODELS[name]
    torch.manual_seed(0)
    model = cls(config(hidden_size=8, **own, **options)).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model


def scores_and_gradients(model, batch):
    torch.manual_seed(1)
    found = [model(batch)]
    if getattr(model.config, "embedding_output", "") == "both":
        found.append(model.eval().embed(batch, "both"))
    loss = sum((part * torch.arange(part.numel()).view_as(part).cos()).sum() for part in found)
    gradients = torch.autograd.grad(loss, [*model.parameters()], allow_unused=True)
    model.train()
    return [*found, *(gradient for gradient in gradients if gradient is not None)]


@pytest.mark.parametrize("name", MODELS)
@given(smiles=st.lists(st.sampled_from(SMILES), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_shared_states_change_neither_scores_nor_gradients(name, smiles):
    model, batch = build(name), molecules(*smiles)
    shared = scores_and_gradients(model, batch)
    with compute_every_row():
        alone = scores_and_gradients(model, batch)
    for got, expected in zip(shared, alone, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


def rows_of_products(model, batch) -> int:
    """Rows of the first factors of all products of matrices."""
    with torch.profiler.profile(record_shapes=True) as profile, torch.no_grad():
        model(batch)
    names = ("aten::mm", "aten::addmm", "aten::baddbmm")
    return sum(
        next(shape[-2] for shape in event.input_shapes if len(shape) > 1)
        for event in profile.events() if event.name in names
    )  # fmt: skip


@pytest.mark.parametrize("name", ["dmpnn", "grover"])
def test_five_times_the_same_molecule_has_the_rows_of_one(name):
    model = build(name, dropout=0.5).eval()
    one, five = (rows_of_products(model, molecules(*["CC(C)(C)Oc1ccccc1"] * count)) for count in (1, 5))
    assert five < 2 * one  # the network behind the atoms has a row for each molecule
    with compute_every_row():
        assert rows_of_products(model, molecules(*["CC(C)(C)Oc1ccccc1"] * 5)) > 3 * one


def surroundings(batch: MoleculeGraph, share: bool = True) -> Surroundings:
    return Surroundings(Neighborhood.of(batch), batch.atom_feats, batch.bond_feats, share, work=1)


def test_rows_grow_with_what_steps_reach():
    hexane = molecules("CCCCCC")
    bonds = surroundings(hexane).bond_passages([2, 2])
    counts = [len(bonds[0].first.chosen), *(len(step.inputs) for passage in bonds for step in passage.steps)]
    # Of five bonds and their opposites: by their first atoms alone, which are ends or not; then by the distance to the
    # end that they come from, up to four bonds.
    assert counts == [2, 3, 4, 5, 5]
    assert len(surroundings(hexane).atom_passages([1])[0].last.chosen) == 3


def test_nothing_is_shared_where_each_row_has_its_own_gradient_dropout_or_many_neighbors():
    batch = molecules("CCCC", "CC")
    assert surroundings(batch).shared
    assert not surroundings(batch, share=False).shared
    around = Neighborhood.of(batch)
    assert not Surroundings(around, batch.atom_feats.clone().requires_grad_(), batch.bond_feats, True, 1).shared
    leaves = torch.arange(1, MOST_NEIGHBORS + 2)
    ends = torch.stack([torch.zeros_like(leaves), leaves], dim=1)
    source, destination = ends.flatten(), ends.flip(1).flatten()
    sizes = torch.tensor([len(leaves) + 1]), torch.tensor([2 * len(leaves)])
    feats = {"feat": torch.ones(len(leaves) + 1, 1)}, {"feat": torch.ones(2 * len(leaves), 1)}
    assert not surroundings(MoleculeGraph(TensorGraph(source, destination, *sizes, *feats))).shared


@pytest.mark.parametrize("name", ["dmpnn", "grover"])
@pytest.mark.parametrize("everywhere", [False, True])
def test_dropped_values_are_drawn_for_every_row(name, everywhere):
    model = build(name, dropout=0.5).train(everywhere)
    for part in dropping_modules(model):  # as for the spread of predictions, with all else in eval mode
        part.training = True
    vectors = model.embed(molecules(*["CCCC"] * 4))
    assert len({tuple(row) for row in vectors.tolist()}) == 4


def watch_forward(model, seen):
    return model.encoder.bond_blocks[0].register_forward_hook(lambda _, __, output: seen.append(len(output)))


def watch_backward(model, seen):
    return model.encoder.bond_blocks[0].register_full_backward_hook(lambda _, __, grads: seen.append(len(grads[0])))


def watch_all(model, seen):
    def look(part, _, output):
        if part is model.encoder.bond_blocks[0]:
            seen.append(len(output))

    return torch.nn.modules.module.register_module_forward_hook(look)


@pytest.mark.parametrize("watch", [watch_forward, watch_backward, watch_all])
def test_hooks_see_every_row(watch):
    model, batch = build("grover").eval(), molecules(*["CCCC"] * 4)
    seen: list[int] = []
    handle = watch(model, seen)
    watched = model(batch)
    watched.sum().backward()
    handle.remove()
    assert seen == [batch.graph.num_edges()]
    torch.testing.assert_close(model(batch), watched)


def test_every_layer_is_called_where_somebody_watches_or_replaces_it():
    model, batch, seen = build("dmpnn").eval(), molecules("CCO", "CCO"), []
    scores = model(batch)
    layers = {name: layer for name, layer in model.encoder.named_modules() if isinstance(layer, torch.nn.Linear)}
    handles = [layer.register_forward_hook(lambda _, __, out: seen.append(len(out))) for layer in layers.values()]
    torch.testing.assert_close(model(batch), scores)
    assert sorted(seen) == sorted([6, 8, *[8] * model.encoder.num_steps, 6])
    for handle in handles:
        handle.remove()
    plain = model.encoder.output
    model.encoder.output = torch.nn.Sequential(plain, torch.nn.Tanh())
    model.encoder.output.weight, model.encoder.output.out_features = plain.weight, plain.out_features
    assert not torch.allclose(model(batch), scores)


def test_a_hub_costs_a_network_of_bonds_no_more_than_its_bonds():
    leaves = torch.arange(1, 3001)
    ends = torch.stack([torch.zeros_like(leaves), leaves], dim=1)
    source, destination = ends.flatten(), ends.flip(1).flatten()
    sizes = torch.tensor([len(leaves) + 1]), torch.tensor([2 * len(leaves)])
    feats = {"feat": torch.ones(len(leaves) + 1, 151)}, {"feat": torch.ones(2 * len(leaves), 14)}
    hub = MoleculeGraph(TensorGraph(source, destination, *sizes, *feats))
    with torch.profiler.profile(profile_memory=True) as profile, torch.no_grad():
        build("dmpnn")(hub)
    assert max(event.cpu_memory_usage for event in profile.key_averages()) < 10 * hub.atom_feats.nbytes


@pytest.mark.parametrize("name", ["dmpnn", "grover"])
def test_scores_are_the_same_to_the_last_bit_in_batches_of_any_size(name):
    model = build(name).eval().float()
    for weight in model.parameters():
        weight.data = weight.data * 0.2
    smiles = [*SMILES, "CC(=O)Nc1ccc(O)cc1", "C1CCC2(CC1)OCCO2", "O=C(O)c1cc(N)ccc1F"] * 2
    with torch.no_grad():
        together = model(molecules(*smiles))
        apart = torch.cat([model(molecules(*smiles[start : start + 3])) for start in range(0, len(smiles), 3)])
    assert torch.equal(together, apart)


def test_every_atom_has_a_gradient_of_its_own():
    model, batch = build("grover").eval(), molecules("CCCC", "CCCC")
    feats = batch.atom_feats.double().requires_grad_()
    batch.graph.ndata["feat"] = feats
    (gradient,) = torch.autograd.grad(model(batch)[0].sum(), feats)
    assert (gradient[:4].abs().sum(1) > 0).all()
    assert (gradient[4:] == 0).all()


@pytest.mark.parametrize("name", ["dmpnn", "grover"])
def test_shared_states_in_bfloat16_are_near_those_in_float64(name):
    model, batch = build(name).eval(), molecules(*SMILES, *SMILES)
    with torch.no_grad():
        exact = model(batch)
        model.float()
        with torch.autocast("cpu", torch.bfloat16):
            near = model(batch).double()
        with compute_every_row(), torch.autocast("cpu", torch.bfloat16):
            alone = model(batch).double()
    scale = exact.abs().max()
    assert (near - exact).abs().max() < 0.05 * scale + 2 * (alone - exact).abs().max()
