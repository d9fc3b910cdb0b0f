"""Figures of what a classifier looks at: pictures beside the same pictures under a heatmap.

Each takes pictures that are overlaid already; the heatmaps come from
`atelier.classify.explain`. `layers` are named above the pictures, fine to coarse.
"""

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable

from atelier.errors import AtelierError
from atelier.plots.look import INK, SOFT, bare, in_our_look, new_figure

HEAT = mpl.colormaps["inferno"]  # of a heatmap in [0, 1], wherever one is drawn
_MOST_PIXELS = 400  # of a picture's shorter side; more are not seen


@in_our_look
def layer_overlays(picture, overlays, caption, *, columns=5, title="What it looks at"):
    """One picture, and what each layer looks at in it.

    Args:
        picture: (h, w, 3) RGB in [0, 255].
        overlays: dict of layer -> the picture under its heatmap, (h, w, 3) RGB in [0, 255].
        caption: the class and its probability.
        columns: panels in a row, the picture's among them.
        title: of the figure.

    Raises:
        AtelierError: if there is no layer.
    """
    _not_empty(overlays, "a layer")
    columns = min(columns, len(overlays) + 1)
    rows = -(-(len(overlays) + 1) // columns)
    figure, panels = _panels(title, rows, columns, [picture])
    cells = panels.ravel()
    _show(cells[0], picture)
    cells[0].set_xlabel(textwrap.fill(caption, 26), color=INK, fontsize=8.5, labelpad=4)
    for axes, (layer, overlay) in zip(cells[1:], overlays.items(), strict=False):
        _show(axes, overlay)
        _name(axes, layer)
    return figure


@in_our_look
def overlay_grid(explained, *, title="What it looks at"):
    """Pictures in rows, layers in columns.

    Args:
        explained: list of (picture, overlays, caption) as `layer_overlays` takes them, with
            the same layers in each.
        title: of the figure.

    Raises:
        AtelierError: if there is no picture, or they differ in their layers.
    """
    _not_empty(explained, "a picture")
    layers = list(explained[0][1])
    for _, overlays, caption in explained:
        if list(overlays) != layers:
            found = f"{', '.join(overlays)} for {caption}"
            raise AtelierError(f"the layers {', '.join(layers)}", found, "Explain all alike.")
    pictures = [picture for picture, _, _ in explained]
    figure, panels = _panels(title, len(explained), len(layers) + 1, pictures)
    for line, (picture, overlays, caption) in zip(panels, explained, strict=True):
        for axes, shown in zip(line, (picture, *overlays.values()), strict=True):
            _show(axes, shown)
        line[0].set_ylabel(textwrap.fill(caption, 22), color=INK, fontsize=8.5, labelpad=5)
    for axes, layer in zip(panels[0, 1:], layers, strict=True):
        _name(axes, layer)
    return figure


def _not_empty(sequence, what):
    if not len(sequence):
        raise AtelierError(f"{what} to show", "none", "Explain one first.")


def _panels(title, rows, columns, pictures, cell=2.05):
    """A figure with bare panels, as high as the pictures are on average, and a color scale."""
    ratio = np.mean([np.shape(picture)[0] / np.shape(picture)[1] for picture in pictures])
    height = 0.9 * cell * float(np.clip(ratio, 0.5, 1.6))
    figure = new_figure(title, max(cell * columns, 5.0) + 0.5, rows * (height + 0.15) + 0.7)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.ravel():
        bare(axes)
    scale = figure.colorbar(
        ScalarMappable(cmap=HEAT), ax=panels, shrink=0.8 if rows == 1 else 0.4, pad=0.01, aspect=18
    )
    scale.set_ticks([0, 1], labels=["0", "most"])
    scale.set_label("evidence", color=SOFT, labelpad=-14)
    scale.outline.set_visible(False)
    return figure, panels


def _show(axes, picture):
    """Draw a picture at its own proportions, with no more pixels than are seen."""
    picture = np.asarray(picture)
    step = max(1, min(picture.shape[:2]) // _MOST_PIXELS)
    axes.imshow(picture[::step, ::step])


def _name(axes, layer):
    size = 8 if len(layer) < 24 else 6.5
    axes.set_title(layer, fontsize=size, color=SOFT, loc="center", pad=4)
