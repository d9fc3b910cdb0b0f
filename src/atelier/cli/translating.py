"""`atelier translate`: photos painted as Monet might have, and what trains the painter."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson


def translate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The network, in models/: cyclegan_monet.")
    ],
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Pictures, and folders of them.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="A file for one photo; else a folder, names are kept."),
    ],
    reverse: Annotated[
        bool, typer.Option("--reverse", help="From painting to photo, where the model can.")
    ] = False,
    strength: Annotated[float, typer.Option(min=0, max=1, help="Blends with the photo.")] = 1.0,
    size: Annotated[int | None, typer.Option(min=32, help="Longer side, pixels.")] = None,
    deep: Annotated[bool, typer.Option("--16-bit", help="16 bits a channel, in a PNG or TIFF.")] = (
        False
    ),
    as_json: AsJson = False,
):
    """Paint photos as Monet might have; large ones go through in tiles without seams."""
    from atelier import models
    from atelier.cli.many import paint_each, targets_of
    from atelier.cli.options import start_keras

    bits = 16 if deep else 8
    targets = targets_of(photos, out, bits)
    models.find(model, kind=models.TRANSLATOR)
    start_keras()
    from atelier.translate.paint import Translator

    translator = Translator(model, reverse=reverse)
    options = {"size": size, "strength": strength}
    paint_each(
        targets,
        lambda photo: translator(photo, **options),
        {"model": translator.folder.name, "reverse": reverse, **options},
        bits=bits,
        as_json=as_json,
    )


def train(recipe, data, out, *, epochs, seed, overwrite):
    """Train a network from photo to painting; returns its folder."""
    from atelier import paths
    from atelier.cli.options import locate, start_keras
    from atelier.cli.output import progress_bar, stdout_to_stderr
    from atelier.data.choose import collection_at
    from atelier.translate import config

    directory = locate(data)
    start_keras()
    from atelier.translate import train as training

    settings = config.plan(config.get_recipe(recipe), is_sample=collection_at(directory).is_sample)
    if seed is not None:
        settings = settings.replace(seed=seed)
    with stdout_to_stderr(), progress_bar("Training") as progress:
        return training.train(
            settings,
            directory,
            out or paths.models_dir() / settings.name,
            epochs=epochs,
            overwrite=overwrite,
            progress=progress,
        )
