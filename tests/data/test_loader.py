from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.data import DataError, MoleculeLoader, featurize
from zoo.tasks import TargetScaler

SMILES = ["C" * n + "O" for n in range(1, 24)]


@pytest.fixture
def packed(featurizer):
    return featurize(SMILES, featurizer)


def labels():
    targets = np.arange(2.0 * len(SMILES)).reshape(-1, 2).astype(np.float32)
    targets[3, 1] = np.nan
    return targets


def test_batches_hold_their_molecules_and_labels(packed, featurizer):
    loader = MoleculeLoader(packed, featurizer, labels(), batch_size=5, shuffle=True, seed=3)
    seen = []
    for batch in loader:
        assert batch.graph.num_atoms.tolist() == [len(SMILES[i]) for i in batch.indices]
        expected = labels()[batch.indices.numpy()]
        assert torch.equal(batch.mask, torch.from_numpy((~np.isnan(expected)).astype(np.float32)))
        assert torch.equal(batch.targets, torch.from_numpy(np.nan_to_num(expected)))
        seen += batch.indices.tolist()
    assert sorted(seen) == list(range(len(SMILES)))
    assert len(loader) == 5
    assert seen != sorted(seen)


def test_order_is_a_function_of_seed_and_epoch(packed, featurizer):
    def order(seed, epoch):
        loader = MoleculeLoader(packed, featurizer, batch_size=4, shuffle=True, seed=seed)
        loader.set_epoch(epoch)
        return [batch.indices.tolist() for batch in loader]

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2) != order(1, 2)


def test_resuming_within_an_epoch_gives_the_same_batches(packed, featurizer):
    loader = MoleculeLoader(packed, featurizer, labels(), batch_size=4, shuffle=True, seed=9)
    loader.set_epoch(7)
    whole = [batch.indices.tolist() for batch in loader]
    assert [batch.indices.tolist() for batch in loader.batches(start=3)] == whole[3:]
    assert list(loader.batches(start=len(loader))) == []


def test_subset_and_last_batch(packed, featurizer):
    loader = MoleculeLoader(packed, featurizer, batch_size=4, indices=[9, 2, 5, 1, 0])
    assert [batch.indices.tolist() for batch in loader] == [[9, 2, 5, 1], [0]]
    dropped = MoleculeLoader(packed, featurizer, batch_size=4, indices=[9, 2, 5, 1, 0], drop_last=True)
    assert [len(batch) for batch in dropped] == [4]
    assert len(dropped) == 1
    assert loader.batch(np.array([0])).targets.shape == (1, 0)


def test_wrong_sizes(packed, featurizer):
    with pytest.raises(DataError, match="batch_size=0"):
        MoleculeLoader(packed, featurizer, batch_size=0)
    with pytest.raises(DataError, match="3 rows of targets for 23 molecules"):
        MoleculeLoader(packed, featurizer, np.zeros((3, 1)))
    with pytest.raises(DataError, match="indices reach 0 to 50"):
        MoleculeLoader(packed, featurizer, indices=[0, 50])


def test_scaler_ignores_missing_labels_and_inverts():
    targets = np.array([[1.0, 10.0], [3.0, np.nan], [5.0, 30.0]], dtype=np.float32)
    scaler = TargetScaler.fit(targets)
    assert scaler.mean == (3.0, 20.0)
    assert scaler.std == pytest.approx((np.std([1, 3, 5]), 10.0))
    again = TargetScaler.from_state_dict(scaler.state_dict())
    assert again == scaler
    scaled = again.transform(targets)
    assert np.nanmean(scaled, axis=0) == pytest.approx([0, 0], abs=1e-6)
    np.testing.assert_allclose(again.inverse(scaled), targets, rtol=1e-6)
    as_tensor = again.inverse(torch.zeros(4, 2))
    assert torch.equal(as_tensor, torch.tensor([[3.0, 20.0]] * 4))


@pytest.mark.parametrize(("column", "message"), [([2.0, 2.0, np.nan], "'y' is constant"), ([np.nan] * 3, "no labels")])
def test_scaler_refuses_what_cannot_be_scaled(column, message):
    with pytest.raises(DataError, match=message):
        TargetScaler.fit(np.array(column)[:, None], ["y"])
