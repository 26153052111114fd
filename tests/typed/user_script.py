"""What a user writes, checked by mypy without an `Any` in it (`make lint`); not run as a test."""

from pathlib import Path

import zoo


def main(folder: Path) -> None:
    learner = zoo.build("grover", optimizer="graphsam")
    data = zoo.data.load("b3db")
    history = learner.fit(data, split="scaffold", epochs=1, logdir=folder)
    assert history.split is not None
    scores = learner.evaluate(history.split.test)
    print(scores["roc_auc"], len(data), data.task_names)
    predictions = learner.predict(["CCO", "c1ccccc1"])
    table = learner.predictions("CCO").to_frame()
    print(table.columns, learner.fitted.task_names)
    print(predictions.shape, predictions.dtype)
    learner.save(folder / "saved")
    loaded = zoo.load(str(folder / "saved"))
    print(loaded.num_parameters, loaded.recipe.model, zoo.list_models(), zoo.__version__)
    split = zoo.data.split_dataset(data, "random", seed=1)
    print(split.train.smiles[0], split.report().duplicates_across)
    stopping = zoo.callbacks.EarlyStopping(patience=3)
    learner.fit(data, split=split, epochs=2, callbacks=[stopping])


if __name__ == "__main__":
    main(Path("runs"))
