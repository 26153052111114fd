"""Options record themselves, so that the key of a cache forgets none; sizes are what models ask for."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import zoo
from featurizers import (
    CanonicalFeaturizer,
    ComptFeaturizer,
    FingerprintFeaturizer,
    GroverFeaturizer,
    MATFeaturizer,
    Needs,
    StructuralFeaturizer,
)
from featurizers.recorded import constructor_parameters, fingerprint, recorded_options
from zoo.data.packing.cache import store_key

CLASSES = [
    CanonicalFeaturizer,
    ComptFeaturizer,
    FingerprintFeaturizer,
    GroverFeaturizer,
    MATFeaturizer,
    StructuralFeaturizer,
]
OTHER = {
    "max_atoms": 50,
    "hydrogens": "atoms",
    "standardize": True,
    "path_length": 4,
    "random_walks": 3,
    "chirality": "published",
    "conformer_seed": 1,
    "conformer_largest": 20,
    "radius": 3,
    "num_bits": 64,
    "walk_steps": 5,
    "num_vectors": 3,
}


class Third(CanonicalFeaturizer):
    """A plug-in's featurizer that says nothing about its options."""

    def __init__(self, scale=1.0, table=None, **options):
        super().__init__(**options)
        self.scale = scale


@pytest.mark.parametrize("cls", CLASSES)
def test_every_option_of_every_featurizer_changes_the_key(cls):
    plain = cls()
    for name, default in constructor_parameters(cls).items():
        if name == "descriptors":
            continue  # needs an optional package
        value = OTHER.get(name, not default)
        options = {name: value}
        if name in ("path_length", "random_walks", "conformers"):
            options["pairs"] = True
        changed = cls(**options)
        assert changed.options[name] == value
        assert changed.fingerprint != plain.fingerprint, name
        assert store_key(["CCO"], changed) != store_key(["CCO"], plain)
        assert cls(**changed.options).fingerprint == changed.fingerprint


def test_options_given_by_place_and_those_of_plugins_are_recorded():
    assert Third(2.0).options == Third(scale=2.0).options == {**Third().options, "scale": 2.0}
    assert Third(max_atoms=7).options["max_atoms"] == 7
    assert Third().fingerprint != CanonicalFeaturizer().fingerprint
    tables = [Third(table=np.arange(n)).fingerprint for n in (3, 4, 3)]
    assert tables[0] == tables[2] != tables[1]


def test_copies_keep_their_options():
    featurizer = GroverFeaturizer(max_atoms=9, chirality="published")
    for other in (copy.copy(featurizer), copy.deepcopy(featurizer), pickle.loads(pickle.dumps(featurizer))):
        assert other.options == featurizer.options
        assert other.fingerprint == featurizer.fingerprint


def test_wrong_options_are_the_constructors_error():
    with pytest.raises(TypeError, match="colour"):
        GroverFeaturizer(colour="red")


def test_keys_are_the_same_in_another_process():
    code = (
        "from featurizers.recorded import fingerprint; print(fingerprint('grover', {'max_atoms': 9, 'b': {'x', 'y'}}))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == fingerprint("grover", {"b": {"y", "x"}, "max_atoms": np.int64(9)})
    assert other != fingerprint("grover", {"b": {"y", "x"}, "max_atoms": 10})


def test_parameters_end_where_options_are_not_passed_on():
    class Base:
        def __init__(self, depth=2):
            pass

    class Closed(Base):
        def __init__(self, width):
            pass

    assert list(constructor_parameters(Closed)) == ["width"]
    assert recorded_options(Closed, (3,), {}) == {"width": 3}


def test_models_say_what_they_need():
    assert Needs().missing({}) == []
    assert Needs(pairs=True, descriptors=True).missing({"pair_size": 1}) == ["descriptors of molecules"]
    for model in ("graphormer", "egt", "mat", "grit", "compt"):
        with pytest.raises(ValueError, match="needs features of atom pairs, and featurizer 'canonical' has none"):
            zoo.build(model, featurizer="canonical")
    assert StructuralFeaturizer(walk_steps=3).sizes["walk_size"] == 3


def test_a_plugins_own_size_reaches_a_model():
    from torch import nn

    class Sized(Third):
        name = "sized"

        @property
        def sizes(self):
            return {**super().sizes, "colour_size": 7}

    class Model(nn.Module):
        def __init__(self, atom_size, num_tasks, colour_size=0):
            super().__init__()
            self.colour_size = colour_size
            self.linear = nn.Linear(atom_size, num_tasks)

    assert zoo.build(Model, featurizer=Sized()).model.colour_size == 7
