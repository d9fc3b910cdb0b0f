"""All trained models side by side: how good, how long to train, how large, how quick."""

from pathlib import Path

import pandas as pd

from atelier.classify.report import SPLITS, metrics_of
from atelier.classify.speed import answering_seconds
from atelier.errors import AtelierError


def overview(home, *, timed=True, progress=None):
    """Every model below a folder that was judged on its test part.

    Args:
        home: folder of model folders.
        timed: measure how long one answer takes, on this machine; loads every model.
        progress: called with (done, total), in models.

    Returns:
        Table with model, label, classes, pictures (of the test part), accuracy, lo, hi,
        macro_f1, split, minutes (of the training), parameters and, where timed, ms (of one
        picture); best first among models of one label and number of classes.

    Raises:
        AtelierError: if there is no such model.
    """
    folders = [path.parent for path in sorted(Path(home).glob("*/metrics.json"))]
    folders = [folder for folder in folders if "test" in metrics_of(folder)]
    if not folders:
        raise AtelierError("a model judged on its test part", f"none in {home}", "Train one.")
    rows = []
    for done, folder in enumerate(folders, start=1):
        row = _row(folder)
        if timed:
            row["ms"] = 1e3 * answering_seconds(folder)
        rows.append(row)
        if progress is not None:
            progress(done, len(folders))
    order, ascending = ["label", "classes", "accuracy"], [True, True, False]
    return pd.DataFrame(rows).sort_values(order, ascending=ascending).reset_index(drop=True)


def _row(folder):
    metrics = metrics_of(folder)
    judged = metrics["test"]
    low, high = judged["intervals"]["accuracy"]
    return {
        "model": folder.name,
        "label": metrics["split"]["label"],
        "classes": len(judged["per_class"]),
        "pictures": judged["n"],
        "accuracy": judged["accuracy"],
        "lo": low,
        "hi": high,
        "macro_f1": judged["macro_f1"],
        "split": SPLITS[metrics["split"]["kind"]],
        "minutes": metrics["minutes"],
        "parameters": metrics["parameters"],
    }


def seed_spread(models, part="test"):
    """Scores of several runs of one recipe: mean and standard deviation.

    Args:
        models: dict of name -> list of model folders.
        part: "val" or "test".

    Returns:
        Table with name, runs, accuracy, deviation, macro_f1, all (the accuracies).
    """
    rows = []
    for name, folders in models.items():
        judged = pd.DataFrame([metrics_of(folder)[part] for folder in folders])
        rows.append(
            {
                "name": name,
                "runs": len(judged),
                "accuracy": judged["accuracy"].mean(),
                "deviation": judged["accuracy"].std(ddof=1),
                "macro_f1": judged["macro_f1"].mean(),
                "all": ", ".join(f"{value:.3f}" for value in judged["accuracy"]),
            }
        )
    return pd.DataFrame(rows)
