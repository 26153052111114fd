"""Where a run goes when nobody names its folder."""

from pathlib import Path

import pytest

from zoo.commands.train_recipes import free_folder
from zoo.recipe import DataOptions, Recipe


@pytest.mark.parametrize(
    ("data", "name"), [(None, "b3db-gcn-adam-seed0"), (DataOptions(source="x/my.set.csv.gz"), "my-gcn-adam-seed0")]
)
def test_the_folder_names_the_data_set(data: DataOptions | None, name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_folder(Recipe("gcn", data=data), None) == Path("runs") / name
    (Path("runs") / name).mkdir(parents=True)
    assert free_folder(Recipe("gcn", data=data), None) == Path("runs") / f"{name}-2"


def test_the_folder_of_an_ensemble_names_its_members(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_folder(Recipe("gcn"), None, "5folds") == Path("runs") / "b3db-gcn-adam-5folds"
    assert free_folder(Recipe("gcn"), "mine", "5folds") == Path("mine")
