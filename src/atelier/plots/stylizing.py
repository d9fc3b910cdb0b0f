"""Figures of style transfer: how costs fall, what a search has found, and contact sheets."""

import textwrap

import numpy as np
import pandas as pd

from atelier.errors import AtelierError
from atelier.plots.look import (
    BLUE,
    GREY,
    INK,
    MUTED,
    RED,
    SOFT,
    bare,
    in_our_look,
    new_figure,
    titled,
)

_TERMS = ("total", "content", "style", "variation")


@in_our_look
def cost_curves(history, *, title=None):
    """Weighted costs by step, on a logarithmic scale; a dotted line where the size changes.

    Args:
        history: table of step, size and any of total, content, style, variation; or a dict
            of such tables by run, of which the totals are overlaid.
        title: what was painted.

    Raises:
        AtelierError: if a history has no steps.
    """
    runs = history if isinstance(history, dict) else {"": history}
    for name, table in runs.items():
        if not len(table):
            raise AtelierError(
                "a history of at least one step", f"none of {name or 'it'}", "Run it."
            )
    figure = new_figure(titled(title, "Costs by step"), 7.0, 4.0)
    axes = figure.subplots()
    for number, (name, table) in enumerate(runs.items()):
        if len(runs) > 1:
            _draw(axes, table, "total", name, MUTED[number % len(MUTED)])
            continue
        for term, color in zip(_TERMS, (INK, BLUE, RED, GREY), strict=True):
            _draw(axes, table, term, term, color)
        for step in table["step"][table["size"].ne(table["size"].shift())].iloc[1:]:
            axes.axvline(step - 0.5, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.set(xlabel="step", ylabel="weighted cost", yscale="log")
    axes.legend(loc="best")
    return figure


def _draw(axes, table, term, label, color):
    if term in table and table[term].gt(0).any():
        values = table[term].where(table[term] > 0)
        axes.plot(table["step"], values, color=color, label=label)


@in_our_look
def training_terms(history, *, title=None):
    """Losses of a feed-forward network by epoch: those of pairs set aside, and of training.

    Args:
        history: table of epoch and of content, style, identity and variation, each also with
            `val_` before it.
        title: what was trained.
    """
    names = [name for name in ("style", "content", "identity", "variation") if name in history]
    figure = new_figure(titled(title, "Losses by epoch"), 2.5 * len(names), 2.9)
    for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
        axes.plot(history["epoch"], history[name], color=GREY, label="training")
        if history.get(f"val_{name}", pd.Series([0.0])).gt(0).any():
            axes.plot(history["epoch"], history[f"val_{name}"], color=RED, label="set aside")
        axes.set(title=name, xlabel="epoch", ylim=(0, None))
        axes.legend(loc="best")
    return figure


@in_our_look
def trade_off(table, winners=None, *, title="Near to the content, near to the style"):
    """Trials of a search by their two distances; the front is joined, winners are named.

    Args:
        table: of trial, content_distance, style_distance and front.
        winners: dict of name -> row of the table.
        title: of the figure.
    """
    figure = new_figure(title, 6.0, 4.6)
    axes = figure.subplots()
    table = pd.DataFrame(table).sort_values("content_distance")
    best = table[table["front"].astype(bool)]
    axes.step(
        best["content_distance"], best["style_distance"], where="post", color=GREY, linewidth=1.0
    )
    colors = np.where(table["front"].astype(bool), BLUE, GREY)
    axes.scatter(table["content_distance"], table["style_distance"], c=colors, s=26, zorder=3)
    for name, row in (winners or {}).items():
        at = row["content_distance"], row["style_distance"]
        axes.scatter(*at, s=90, facecolors="none", edgecolors=RED, linewidths=1.6, zorder=4)
        axes.annotate(
            f"{name}, trial {row['trial']}",
            at,
            xytext=(8, 6),
            textcoords="offset points",
            color=INK,
        )
    axes.set(xlabel="content distance", ylabel="style distance", xscale="log", yscale="log")
    axes.xaxis.label.set_color(SOFT)
    return figure


@in_our_look
def contact_sheet(styles, rows, *, title="Contents in styles", cell=1.35):
    """Stylized pictures as a table: a style a column, a content a row.

    Args:
        styles: list of (name, (h, w, 3) picture), shown on top.
        rows: list of (name, list of a (h, w, 3) picture for each style); contents are named
            only, since they may be anyone's photographs.
        title: of the figure.
        cell: side of a picture in inches.

    Raises:
        AtelierError: if a row has another number of pictures than there are styles.
    """
    for name, pictures in rows:
        if len(pictures) != len(styles):
            raise AtelierError(
                f"{len(styles)} pictures of {name}, one a style", len(pictures), "Pass them all."
            )
    figure = new_figure(title, cell * len(styles) + 0.5, cell * (len(rows) + 1) + 0.7)
    panels = figure.subplots(len(rows) + 1, len(styles), squeeze=False)
    for axes in panels.ravel():
        bare(axes)
    for axes, (name, picture) in zip(panels[0], styles, strict=True):
        axes.imshow(_square(picture))
        said = textwrap.fill(name.replace("_", " "), round(13 * cell))
        axes.set_title(said, fontsize=7, color=SOFT)
    for line, (name, pictures) in zip(panels[1:], rows, strict=True):
        line[0].set_ylabel(name, fontsize=7, color=SOFT)
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(_square(picture))
    return figure


def _square(picture):
    """The middle of a picture, as uint8."""
    picture = np.uint8(np.clip(np.rint(picture), 0, 255))
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]
