"""Saving a figure once, small, and showing it exactly once in a notebook."""

import base64
import functools
import io
import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

from atelier import paths
from atelier.plots.look import PAPER, RED, SOFT, in_our_look
from atelier.storage import atomic_path

DPI = 110
CHART_BYTES = 100_000  # up to it, a figure is taken for a chart
MOST_BYTES = 300_000  # above it, there is no dithering, then fewer pixels
_STAMP = "FAST RUN · SAMPLE COLLECTION"
_FIGURE_SUFFIX = ".png"


@in_our_look
def save_figure(figure, name, *, caption=None, folder=None):
    """Save a figure as `figures/NAME.png` and return it, to be shown as a cell's last value.

    What the notebook shows is the saved file itself. A run with `ATELIER_FAST` is
    saved under `build/` and stamped.

    Args:
        figure: a Matplotlib Figure; closed if pyplot knows it.
        name: of the file, such as "02_confusion".
        caption: a line for below the figure; see `caption_line`.
        folder: instead of `paths.figures_dir()`.

    Returns:
        The same Figure.
    """
    _sign(figure, caption)
    data = _compact_png(figure)
    path = (Path(folder) if folder else paths.figures_dir()) / f"{name}{_FIGURE_SUFFIX}"
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    figure._repr_mimebundle_ = functools.partial(_bundle, data, _title_of(figure) or name)
    if "matplotlib.pyplot" in sys.modules:  # else nothing can be open in it
        sys.modules["matplotlib.pyplot"].close(figure)
    return figure


def _sign(figure, caption):
    """Put caption and stamp below the figure; saving twice does not put them there twice."""
    stamp = _STAMP if paths.fast() else ""
    text = "   ".join(part for part in (stamp, caption or "") if part)
    if text:
        color, weight = (RED, "bold") if stamp else (SOFT, "normal")
        wrapped = textwrap.fill(text, int(figure.get_figwidth() * (15 if stamp else 17)))
        figure.supxlabel(
            wrapped, x=0.01, ha="left", fontsize=7.5, color=color, weight=weight, linespacing=1.4
        )


def _title_of(figure):
    return " ".join(figure.get_suptitle().split())


def _compact_png(figure):
    """PNG bytes of 256 colors; pictures are dithered as long as they stay small, then shrink."""
    for dpi in (DPI, DPI * 0.82, DPI * 0.66):
        image = _render(figure, dpi)
        palette = _palette(image)
        data = _png(_reduced(image, palette, Image.Dither.NONE))
        if len(data) <= CHART_BYTES:  # lines and areas: dithering would only speckle them
            return data
        dithered = _png(_reduced(image, palette, Image.Dither.FLOYDSTEINBERG))
        if min(len(data), len(dithered)) <= MOST_BYTES:
            return dithered if len(dithered) <= MOST_BYTES else data
    return data


def _render(figure, dpi):
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=dpi, facecolor=PAPER, bbox_inches="tight", pad_inches=0.12
    )
    return Image.open(stream).convert("RGB")


def _png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _palette(image):
    """An image whose palette holds 256 colors for this one; the first is the paper's white."""
    sample = image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)
    palette = sample.quantize(
        255, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE
    )
    palette.putpalette([255, 255, 255, *palette.getpalette("RGB")[: 3 * 255]], "RGB")
    return palette


def _reduced(image, palette, dither):
    """The image in the palette's colors; Pillow's search is coarse, so white is put back."""
    reduced = image.quantize(palette=palette, dither=dither)
    places = np.asarray(reduced).copy()
    places[(np.asarray(image) == 255).all(axis=-1)] = 0
    clean = Image.fromarray(places, "P")
    clean.putpalette(palette.getpalette("RGB"), "RGB")
    return clean


def _bundle(data, title, include=None, exclude=None):
    """What IPython shows instead of drawing the figure again; the title is its alternative text."""
    encoded = base64.b64encode(data).decode("ascii")
    return {"image/png": encoded, "text/plain": f"<Figure: {title}>"}, {"image/png": {"alt": title}}
