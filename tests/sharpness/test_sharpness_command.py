"""`molzoo sharpness`."""

import json

import pytest

from zoo.commands.main import main
from zoo.experiments.experiment import run
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory, dataset) -> str:
    folder = tmp_path_factory.mktemp("runs")
    table = folder / "few.csv"
    dataset.to_frame().to_csv(table, index=False)
    recipe = Recipe(
        "grover",
        model_args={"hidden_size": 8},
        data=DataOptions(source=str(table), split="random"),
        training=TrainingOptions(epochs=1),
    )
    run(recipe, folder=folder / "run", progress=False, device="cpu")
    return str(folder / "run")


def test_command_prints_json_and_draws(run_folder, tmp_path, capsys) -> None:
    picture = tmp_path / "landscape.png"
    command = f"sharpness {run_folder} --rho 0.1 --directions 1 --eigenvalues 0 --json --points 3 --landscape {picture}"
    main(command.split())
    printed = json.loads(capsys.readouterr().out)
    assert printed["rho"] == 0.1
    assert printed["loss_rise"] > 0
    assert printed["part"] == "train"
    assert printed["eigenvalues"] == []
    assert picture.exists()
    main(f"sharpness {run_folder} --part all --eigenvalues 1 --max-molecules 4".split())
    assert "eigenvalue" in capsys.readouterr().out
    line = f"sharpness {run_folder} --against {run_folder} --slice segment --eigenvalues 0 --landscape {picture}"
    main(line.split())
    assert "landscape in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--rho 0", "rho"),
        ("--slice segment --landscape x.png", "--against"),
        ("--against other", "--landscape"),
        ("--part no", "part"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(run_folder, capsys, options: str, word: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(f"sharpness {run_folder} {options}".split())
    message = capsys.readouterr().err
    assert left.value.code == 2
    assert len(message.splitlines()) == 1
    assert word in message
