"""`atelier evaluate` and `atelier classify`: what a trained model is worth, and what it says."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson, Collection, locate, start_keras
from atelier.cli.output import progress_bar, show, show_json, show_table, stdout_to_stderr

ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A folder, a name in models/, or an alias.")
]


def evaluate(
    model: ModelName,
    data: Collection = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to draw the figures.")
    ] = None,
    as_json: AsJson = False,
):
    """Judge a model on a split of a collection: a table, or JSON."""
    from atelier import models

    folder = models.find(model)
    directory = locate(data)
    from atelier import models

    folder = models.find(model)
    start_keras()
    from atelier.classify import predict

    with stdout_to_stderr(), progress_bar("Reading the collection") as progress:
        metrics = predict.evaluate_model(
            folder, directory, split=split, figures=figures, progress=progress
        )
    if as_json:
        show_json(metrics)
    else:
        _show_metrics(metrics)


def _show_metrics(metrics):
    intervals = metrics.get("intervals", {})
    rows = []
    for name in ("n", "accuracy", "top3", "macro_f1", "weighted_f1", "macro_auc", "ece"):
        low, high = intervals.get(name, (None, None))
        rows.append((name, metrics.get(name), low, high))
    show_table(rows, ("measure", "value", "95 % from", "to"))
    columns = ("precision", "recall", "f1", "support", "auc")
    rows = [
        (name, *(scores.get(column) for column in columns))
        for name, scores in metrics.get("per_class", {}).items()
    ]
    show_table(rows, ("class", *columns))


def classify(
    model: ModelName,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Pictures, or folders of them.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name.")] = 5,
    csv: Annotated[Path | None, typer.Option(help="Write the table here as CSV.")] = None,
    as_json: AsJson = False,
):
    """Name the likeliest classes of pictures."""
    from atelier import models

    folder = models.find(model)
    start_keras()
    from atelier.classify import predict

    with stdout_to_stderr(), progress_bar("Classifying") as progress:
        table = predict.classify(folder, images, top=top, progress=progress)
    if csv is not None:
        from atelier.storage import atomic_path

        with atomic_path(csv) as temporary:
            table.to_csv(temporary, index=False)
    if as_json:
        show_json({"predictions": table, "skipped": table.attrs.get("skipped", [])})
    elif csv is not None:
        show(f"{table['path'].nunique()} pictures, in {csv}")
    else:
        show_table(table.itertuples(index=False), list(table.columns))
