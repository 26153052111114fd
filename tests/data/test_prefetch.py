"""Batches that are made while the device computes; torch's "meta" device stands for a GPU."""

import threading

import pytest
import torch

from featurizers import CanonicalFeaturizer
from zoo.data import MoleculeLoader, featurize, prefetch

SMILES = ["C", "CC", "CCO", "c1ccccc1", "CCN", "CCCl", "O"]


@pytest.fixture(scope="module")
def loader():
    featurizer = CanonicalFeaturizer()
    return MoleculeLoader(featurize(SMILES, featurizer), featurizer, batch_size=2)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_order_and_place(loader, device):
    batches = list(prefetch(iter(loader), torch.device(device)))
    assert [batch.indices.tolist() for batch in batches] == [[0, 1], [2, 3], [4, 5], [6]]
    for batch in batches:
        parts = (batch.graph.graph, batch.graph.atom_feats, batch.graph.bond_feats, batch.targets, batch.mask)
        assert {part.device.type for part in parts} == {device}


def test_pinned_batches_are_the_same(loader, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    batch = next(iter(loader))
    pinned = batch.pin_memory()
    assert torch.equal(pinned.graph.atom_feats, batch.graph.atom_feats)
    assert torch.equal(torch.stack(pinned.graph.graph.edges()), torch.stack(batch.graph.graph.edges()))
    assert pinned.indices.tolist() == [0, 1]


def test_errors_arrive_and_the_thread_ends():
    def broken():
        raise KeyError("no such molecule")
        yield

    with pytest.raises(KeyError, match="no such molecule"):
        list(prefetch(broken(), torch.device("meta")))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_who_stops_early_gets_no_further_batches(loader):
    made = []

    def counted():
        for number, batch in enumerate(loader.batches()):
            made.append(number)
            yield batch

    batches = prefetch(counted(), torch.device("meta"), ahead=1)
    next(batches)
    batches.close()
    assert made in ([0], [0, 1])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
