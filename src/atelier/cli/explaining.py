"""`atelier explain`: what a trained model looks at in a picture."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.judging import ModelName
from atelier.cli.options import AsJson, start_keras
from atelier.cli.output import show, show_json, stdout_to_stderr
from atelier.errors import AtelierError

SUFFIXES = (".png", ".jpg", ".jpeg")


def explain(
    model: ModelName,
    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="A picture, of any size.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to draw, PNG or JPG: a figure for several layers."),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A layer to look from; repeat for more (the last)."),
    ] = None,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="What to explain (the likeliest).")
    ] = None,
    opacity: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of the heatmap's colors (0.6).")
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="List the layers that can be named, and stop.")
    ] = False,
    as_json: AsJson = False,
):
    """Show where in a picture a model sees a class (Grad-CAM)."""
    from atelier import models

    if not layers:
        _check_usage(image, out)
    folder = models.find(model)
    start_keras()
    from atelier.classify import explain as explaining

    if layers:
        with stdout_to_stderr():
            names = explaining.explainable_layers(folder)
        show_json({"layers": names}) if as_json else show("\n".join(names))
        return
    with stdout_to_stderr():
        seen = explaining.explain(folder, image, layers=layer, class_name=class_name)
        _draw(out, seen, explaining.OPACITY if opacity is None else opacity)
    if as_json:
        said = {"class": seen.class_name, "probability": seen.probability}
        show_json(said | {"layers": list(seen.heatmaps), "file": out})
    else:
        show(f"{seen.caption}: {out}, {', '.join(seen.heatmaps)}")


def _check_usage(image, out):
    """What `--layers` can do without, and whether the result can be drawn at all."""
    if image is None:
        raise typer.BadParameter("Name a picture.", param_hint="IMAGE")
    if out is None:
        raise typer.BadParameter("Say where to draw.", param_hint="--out / -o")
    if out.suffix.lower() not in SUFFIXES:
        raise AtelierError(
            f"an output file that ends in {', '.join(SUFFIXES)}", str(out), "Rename it."
        )


def _draw(out, seen, opacity):
    """Write the overlay of one layer as large as the picture, or a figure of several."""
    from atelier.storage import atomic_path

    overlays = seen.overlays(opacity)
    try:
        with atomic_path(out) as temporary:
            if len(overlays) == 1:
                from PIL import Image

                Image.fromarray(*overlays.values()).save(temporary, quality=95)
            else:
                from atelier.plots.explaining import layer_overlays

                figure = layer_overlays(seen.picture, overlays, seen.caption)
                figure.savefig(temporary, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise AtelierError(
            f"to write {out}", error.strerror or error, "Name another place, or make it writable."
        ) from error
