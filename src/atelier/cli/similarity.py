"""`atelier similar` and `atelier outliers`: what a model sees as alike, and what it finds odd."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.judging import ModelName
from atelier.cli.options import AsJson, Collection, locate, start_keras
from atelier.cli.output import (
    progress_bar,
    progress_bars,
    show,
    show_json,
    show_table,
    stdout_to_stderr,
)

Figure = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Draw the pictures here, as PNG.")
]


def similar(
    model: ModelName,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture, any.")],
    data: Collection = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many paintings.")] = 8,
    include_copies: Annotated[
        bool, typer.Option("--include-copies", help="Let reproductions of the same painting count.")
    ] = False,
    figure: Figure = None,
    as_json: AsJson = False,
):
    """Find the paintings of a collection that a model sees as most similar to a picture."""
    from atelier import models

    folder, directory = models.find(model), locate(data)
    _check_figure(figure)
    start_keras()
    from atelier.classify.similar import find_similar, similar_figure

    with stdout_to_stderr(), progress_bars() as progress:
        found = find_similar(
            folder, image, directory, k=k, include_copies=include_copies, progress=progress
        )
    if figure is not None:
        _save(similar_figure(found, image, directory), figure)
    if as_json:
        copies = {"copies": found.copies, "copies_included": include_copies}
        asked = {"image": image, "label": found.label, "artist": found.artist, **copies}
        show_json({**asked, "similar": found.table})
    else:
        show_table(found.table.itertuples(index=False), list(found.table.columns))


def outliers(
    model: ModelName,
    data: Collection = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Probability below which an answer is unsure.")
    ] = 0.5,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table here as CSV.")
    ] = None,
    figure: Figure = None,
    as_json: AsJson = False,
):
    """List the pictures that a model is unsure or wrong about, and likely label errors."""
    from atelier import models

    folder, directory = models.find(model), locate(data)
    _check_figure(figure)
    start_keras()
    from atelier.classify.outliers import find_outliers, outlier_figure

    with stdout_to_stderr(), progress_bar("Reading the collection") as progress:
        found = find_outliers(
            folder, directory, split=split, threshold=threshold, progress=progress
        )
    if figure is not None:
        _save(outlier_figure(found.table, directory), figure)
    if csv is not None:
        from atelier.storage import atomic_path

        with atomic_path(csv) as temporary:
            found.table.to_csv(temporary, index=False)
    if as_json:
        show_json({"counts": found.counts, "outliers": found.table})
    elif csv is not None:
        counts = ", ".join(f"{kind} {count}" for kind, count in found.counts.items())
        show(f"{counts}; in {csv}")
    else:
        show_table(found.table.itertuples(index=False), list(found.table.columns))


def _check_figure(figure):
    """Refuse a name that no PNG bears, before anything takes time."""
    if figure is not None and figure.suffix != ".png":
        from atelier.errors import AtelierError

        raise AtelierError("a figure's name that ends in .png", f"{figure.name!r}", "Rename it.")


def _save(drawn, figure):
    from atelier.plots import save_figure

    save_figure(drawn, figure.stem, folder=figure.parent)
