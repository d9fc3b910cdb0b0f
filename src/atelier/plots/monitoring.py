"""Figures of what a served model was asked: how much, how fast, and how unlike its reference.

They are small, for a page that is read on a phone, too; the page names them, so they bear no title.
"""

import io
import re

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from atelier.plots.look import (
    BLUE,
    FAINT,
    GOLD,
    GREY,
    INK,
    PAPER,
    RED,
    SOFT,
    in_our_look,
    new_figure,
    only_grid,
)

WIDTH, HEIGHT = 4.5, 2.4  # inches
_VARIABLES = {INK: "ink", SOFT: "soft", FAINT: "faint", PAPER: "paper", GREY: "grey", BLUE: "blue"}
_VARIABLES |= {RED: "red", GOLD: "gold"}


@in_our_look
def traffic(counts):
    """Answered and failed requests by span of time, stacked.

    Args:
        counts: DataFrame with `time` (the span's start), `answered` and `failed`.
    """
    figure, axes = _panel()
    width = np.diff(counts["time"]).min() * 0.85 if len(counts) > 1 else np.timedelta64(1, "h")
    for name, color, below in (("answered", BLUE, None), ("failed", RED, counts["answered"])):
        axes.bar(
            counts["time"], counts[name], width=width, bottom=below, color=color, label=name,
            align="edge",
        )  # fmt: skip
    axes.set(ylabel="requests")
    axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.18), borderaxespad=0)
    _dates(axes)
    return figure


@in_our_look
def course(spans, *, label, threshold=None, base=None, from_zero=True):
    """A measure over time: its mean and the middle half of its values.

    Args:
        spans: from `serve.drift.over_time`, by name; one line each.
        label: of the vertical axis.
        threshold: where a line is drawn, or None.
        base: a mean to compare with, or None.
        from_zero: let the axis begin at 0.
    """
    figure, axes = _panel()
    for (name, table), color in zip(spans.items(), (BLUE, GOLD, SOFT), strict=False):
        axes.fill_between(table["time"], table["low"], table["high"], color=color, alpha=0.2, lw=0)
        marker = "o" if len(table) < 40 else None
        axes.plot(table["time"], table["mean"], color=color, marker=marker, ms=3, label=name)
    for value, color, name in ((threshold, RED, "threshold"), (base, SOFT, "at first")):
        if value is not None:
            axes.axhline(value, color=color, linewidth=1.1, linestyle=(0, (4, 2)), label=name)
    axes.set(ylabel=label)
    if from_zero:
        axes.set_ylim(bottom=0)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(loc="upper left", ncols=4, bbox_to_anchor=(0, 1.18), borderaxespad=0)
    _dates(axes)
    return figure


@in_our_look
def class_shares(class_names, expected, found):
    """Shares of the predicted classes: those of the reference and those of the requests.

    Args:
        class_names: k names.
        expected: (k,) shares in the reference.
        found: (k,) shares of the requests.
    """
    order = np.argsort(expected)[-20:]  # the largest at the top
    figure = new_figure("", WIDTH, 0.9 + 0.26 * len(order))
    axes, rows = figure.add_subplot(), np.arange(len(order))
    for values, offset, color, name in (
        (expected, 0.19, GREY, "reference"),
        (found, -0.19, BLUE, "requests"),
    ):
        axes.barh(rows + offset, np.asarray(values)[order], 0.36, color=color, label=name)
    axes.set_yticks(rows, [class_names[index] for index in order])
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.legend(loc="lower right")
    only_grid(axes, "x")
    return figure


@in_our_look
def embedding_map(reference, requests, outlying):
    """Two dimensions of embeddings: the reference's principal ones.

    Args:
        reference: (n, 2).
        requests: (m, 2).
        outlying: (m,) bool, which of them are unlike the reference.
    """
    figure = new_figure("", WIDTH, 3.4)
    axes, outlying = figure.add_subplot(), np.asarray(outlying, bool)
    for points, color, marker, name in (
        (reference, GREY, "o", "reference"),
        (requests[~outlying], BLUE, "o", "requests"),
        (requests[outlying], RED, "x", "unlike the reference"),
    ):
        edge = {"linewidths": 1.0} if marker == "x" else {"linewidths": 0}
        axes.scatter(*points.T, s=16, marker=marker, color=color, alpha=0.75, label=name, **edge)
    axes.legend(loc="upper left", ncols=3, bbox_to_anchor=(0, 1.12), borderaxespad=0,
                handletextpad=0.1, columnspacing=0.8)  # fmt: skip
    axes.tick_params(labelbottom=False, labelleft=False)
    axes.set(xlabel="first principal axis", ylabel="second")
    return figure


def _panel():
    figure = new_figure("", WIDTH, HEIGHT)
    axes = figure.add_subplot()
    only_grid(axes, "y")
    return figure, axes


def _dates(axes):
    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


@in_our_look
def inline_svg(figure, title):
    """A figure as an SVG element for a page, in the page's own colors and font.

    The look's colors become CSS variables (`--ink`, `--soft`, `--faint`, `--paper`, `--grey`,
    `--blue`, `--red`, `--gold`), so that it follows a dark page; text stays text.

    Args:
        figure: a Matplotlib Figure.
        title: what it shows, for screen readers.

    Returns:
        The text of one `<svg>` element that names no outside address.
    """
    import html

    import matplotlib as mpl

    stream = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": title}
    with mpl.rc_context(settings):
        figure.savefig(stream, format="svg", metadata={"Date": None}, facecolor="none")
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'\s(?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r'\sxmlns(?::xlink)?="[^"]*"', "", text).replace("xlink:href", "href")
    for color, name in _VARIABLES.items():
        text = text.replace(color, f"var(--{name})")
    text = re.sub(r"(\d px) [^;\"]*?'?DejaVu[^;\"]*", r"\1 inherit", text)
    label = html.escape(title, quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
