"""A file is predicted by an ensemble as by one learner, in workers and shards too."""

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo import inference


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    place = tmp_path_factory.mktemp("several") / "model"
    members = [zoo.build(name, model_args={"hidden_size": 8}) for name in ("gcn", "gin", "dmpnn")]
    zoo.ensemble(members, [1, 2, 3]).save(place)
    return place


def test_a_file_has_mean_spread_and_reasons(ensemble, library, tmp_path):
    inference.predict_file(ensemble, library, tmp_path / "out.csv", chunk_size=100, num_workers=0, progress=False)
    written = pd.read_csv(tmp_path / "out.csv")
    assert list(written) == ["name", "smiles", "predicted_task_0", "class_task_0", "sd_task_0", "reason"]
    found = zoo.load(ensemble).predictions(written["smiles"])
    np.testing.assert_allclose(written["predicted_task_0"], found.values[:, 0], rtol=1e-4)
    np.testing.assert_allclose(written["sd_task_0"], found.spread[:, 0], rtol=1e-2, atol=1e-6)
    assert written["reason"].fillna("").tolist() == found.reasons.tolist()


def test_shards_of_an_ensemble_know_their_request(ensemble, library, tmp_path):
    options = {"shards": 2, "num_workers": 0, "progress": False}
    summary = inference.predict_shards(ensemble, library, tmp_path / "out", **options)
    assert (summary.rows, summary.failed) == (250, 7)
    assert "sd_task_0" in pd.read_parquet(next((tmp_path / "out").glob("*.parquet")))
    assert inference.predict_shards(ensemble, library, tmp_path / "out", **options).continued == 250
    zoo.ensemble(zoo.load(ensemble).members).save(tmp_path / "other")
    with pytest.raises(ValueError, match=r"another request \(other shares\)"):
        inference.predict_shards(tmp_path / "other", library, tmp_path / "out", **options)
