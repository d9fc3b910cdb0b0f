"""Figures of unpaired translation: losses of rivals, paintings over epochs, distances."""

import numpy as np

from atelier.errors import AtelierError
from atelier.plots.look import BLUE, GREY, INK, RED, SOFT, bare, in_our_look, new_figure, titled

_PANELS = {
    "generators": ("to_monet", "to_photo"),
    "critics": ("monet_critic", "photo_critic"),
    "cycle": ("cycle",),
    "contrast": ("contrast",),
    "identity": ("identity",),
}


@in_our_look
def adversarial_losses(history, *, title=None, span=5, coin=0.25):
    """Losses by epoch, as they are in grey and smoothed in color; dotted is a critic that guesses.

    Args:
        history: table of epoch and of any of to_monet, to_photo, monet_critic, photo_critic,
            cycle, contrast and identity.
        title: what was trained.
        span: epochs that the smoothed line looks back on, about.
        coin: what a critic's guessing costs; `TranslateConfig.coin` knows.

    Raises:
        AtelierError: if it has none of them.
    """
    panels = {
        name: [term for term in terms if term in history]
        for name, terms in _PANELS.items()
        if any(term in history for term in terms)
    }
    if not panels or not len(history):
        raise AtelierError("a history with losses", f"{list(history)}", "Train for an epoch.")
    figure = new_figure(titled(title, "Losses by epoch"), 2.6 * len(panels), 3.0)
    drawn = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, terms) in zip(drawn, panels.items(), strict=True):
        for term, color in zip(terms, (BLUE, RED), strict=False):
            axes.plot(history["epoch"], history[term], color=GREY, linewidth=0.8, alpha=0.6)
            smooth = history[term].ewm(span=span).mean()
            axes.plot(history["epoch"], smooth, color=color, label=term.replace("_", " "))
        if name == "critics":
            axes.axhline(coin, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.set(title=name, xlabel="epoch", ylim=(0, None))
        if len(terms) > 1:
            axes.legend(loc="best")
    return figure


@in_our_look
def epoch_sheet(epochs, *, title="What the same photos become", cell=1.25):
    """Paintings of the same photos, an epoch a column.

    Args:
        epochs: dict of epoch -> list of (h, w, 3) pictures, as many each.
        title: of the figure.
        cell: side of a picture in inches.

    Raises:
        AtelierError: if there are none, or not as many each.
    """
    counts = {len(pictures) for pictures in epochs.values()}
    if len(counts) != 1 or counts == {0}:
        raise AtelierError(
            "as many pictures of every epoch, one or more", sorted(counts) or "none", "Pass them."
        )
    (rows,) = counts
    figure = new_figure(title, cell * len(epochs) + 0.4, cell * rows + 0.8)
    panels = figure.subplots(rows, len(epochs), squeeze=False)
    for column, (epoch, pictures) in zip(panels.T, epochs.items(), strict=True):
        for axes, picture in zip(column, pictures, strict=True):
            bare(axes)
            axes.imshow(picture)
        column[0].set_title(f"epoch {epoch}", fontsize=8, color=SOFT)
    return figure


@in_our_look
def distance_by_epoch(table, *, floor=None, ceiling=None, title="Distance to the paintings"):
    """FID by epoch, between real paintings and untouched photos.

    Args:
        table: of epoch and fid.
        floor: FID of real paintings to real ones.
        ceiling: FID of untouched photos.
        title: of the figure.
    """
    figure = new_figure(title, 6.0, 3.6)
    axes = figure.subplots()
    axes.plot(table["epoch"], table["fid"], color=BLUE, marker="o", markersize=4)
    last = float(np.max(table["epoch"]))
    for value, name in ((ceiling, "photos as they are"), (floor, "paintings among themselves")):
        if value is not None:
            axes.axhline(value, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
            axes.annotate(
                name,
                (last, value),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                color=INK,
            )
    axes.set(xlabel="epoch", ylabel="FID", ylim=(0, None))
    return figure
