"""Figures of style transfer: how costs fall, and what a search has found."""

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
