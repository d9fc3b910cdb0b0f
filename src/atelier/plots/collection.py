"""Views of a collection: how many works by whom, which shapes, which pictures, which leaks.

The first ones are the predecessor's exploration; sizes, color modes, pairs and
leaks are what it missed. Tables come in, a Figure goes out; no file is read here.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from atelier.errors import AtelierError
from atelier.plots.look import (
    BLUE,
    GOLD,
    GREY,
    PATCH,
    RED,
    SOFT,
    in_our_look,
    new_figure,
    note,
    only_grid,
)


@in_our_look
def works_distribution(counts, *, title="How many paintings a painter has here"):
    """Box plot over histogram of the number of works by painter.

    Args:
        counts: number of works, one entry a painter.
        title: of the figure.
    """
    counts = np.asarray(_some(counts), float)
    figure = new_figure(title, 8.2, 4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 3.2))
    if np.ptp(counts):
        _box(above, counts)
    else:
        above.text(0.5, 0.5, f"Every painter has {counts[0]:,.0f}.", color=SOFT, ha="center",
                   transform=above.transAxes)  # fmt: skip
    above.set_yticks([])
    above.tick_params(labelbottom=False)
    above.grid(visible=False)
    above.spines[["left", "bottom"]].set_visible(False)
    below.hist(counts, bins=min(25, max(5, len(counts) // 2)), color=BLUE, rwidth=0.92)
    for name, value, color in (("median", np.median(counts), GOLD), ("mean", counts.mean(), RED)):
        below.axvline(value, color=color, linewidth=1.8, label=f"{name} {value:,.0f}")
    below.legend()
    below.set(xlabel="paintings by one painter", ylabel="painters")
    for axis in (below.xaxis, below.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    only_grid(below, "y")
    return figure


def _box(axes, values):
    """Tukey's box plot, lying: quartiles, whiskers to 1.5 times their distance, the rest as dots."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    reach = 1.5 * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    axes.plot([inside.min(), inside.max()], [0, 0], color=SOFT, linewidth=1, zorder=1)
    axes.barh(0, high - low, left=low, height=0.6, color=BLUE, zorder=2)
    axes.vlines(middle, -0.3, 0.3, color="white", linewidth=2, zorder=3)
    outside = np.setdiff1d(values, inside)
    axes.plot(outside, np.zeros(len(outside)), "o", color=RED, markersize=5)
    axes.set_ylim(-0.6, 0.6)


def _some(values):
    if not len(values):
        raise AtelierError("at least one row to draw", "an empty table", "Check the collection.")
    return values


@in_our_look
def works_by_artist(counts, *, highlight_from=None, title="Paintings by painter"):
    """One bar a painter, most first.

    Args:
        counts: Series of the number of works, by painter.
        highlight_from: from how many works on a bar stands out.
        title: of the figure.
    """
    counts = _some(counts).sort_values(ascending=False, kind="stable")
    figure = new_figure(title, 8.2, 1.5 + 0.19 * len(counts))
    axes = figure.add_subplot()
    least = np.inf if highlight_from is None else highlight_from
    chosen = int((counts >= least).sum())
    colors = [BLUE if count >= least or not chosen else GREY for count in counts]
    _bars(axes, counts, colors, "paintings", size=7.5)
    if chosen:
        axes.text(
            0.98, 0.03, f"{chosen} with {least} or more", color=BLUE, weight="bold", ha="right",
            transform=axes.transAxes,
        )  # fmt: skip
    return figure


def _bars(axes, counts, colors, xlabel, size=8.5):
    """Horizontal bars, the first on top, each with its number."""
    places = np.arange(len(counts))
    axes.barh(places, counts, height=0.74, color=colors)
    for place, count in zip(places, counts, strict=True):
        axes.annotate(
            f"{count:,}", (count, place), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=size, color=SOFT,
        )  # fmt: skip
    axes.set_yticks(places, counts.index, fontsize=size)
    axes.set_ylim(len(counts) - 0.4, -0.6)
    axes.set_xlabel(xlabel)
    axes.margins(x=0.1)
    only_grid(axes, "x")


def works_by_value(artists, column):
    """Painters and paintings by nationality or genre.

    A painter with several values ("Spanish,Greek") counts whole under each, so
    that the sums exceed the collection's.

    Args:
        artists: table with `column` (values joined by commas) and `paintings`.
        column: its name.

    Returns:
        Table of `painters` and `paintings`, by value, most paintings first.
    """
    values = artists[column].astype("string").fillna("not stated").str.split(",")
    rows = artists.assign(value=values).explode("value")
    rows["value"] = rows["value"].str.strip()
    table = rows.groupby("value")["paintings"].agg(painters="size", paintings="sum")
    return table.sort_values(["paintings", "painters"], ascending=False, kind="stable")


@in_our_look
def works_by_origin(
    artists, *, columns=("nationality", "genre"), title="Where and how they painted"
):
    """Paintings by nationality and by genre, side by side; see `works_by_value`."""
    tables = [works_by_value(_some(artists), column) for column in columns]
    rows = max(len(table) for table in tables)
    figure = new_figure(title, 10.4, 1.6 + 0.23 * rows)
    for axes, column, table in zip(figure.subplots(1, len(tables)), columns, tables, strict=True):
        labels = table["paintings"].rename(
            lambda value, table=table: f"{value} ({table['painters'][value]})"
        )
        _bars(axes, labels, BLUE, "paintings", size=8)
        axes.set_title(f"by {column} (painters)")
    return figure


@in_our_look
def class_sizes(counts, *, title="The classes and their pictures"):
    """Columns of the number of pictures by class with their shares, most first.

    Args:
        counts: Series of the number of pictures, by class.
        title: of the figure.
    """
    counts = _some(counts).sort_values(ascending=False, kind="stable")
    figure = new_figure(title, float(np.clip(0.78 * len(counts) + 1, 6, 14)), 4.6)
    axes = figure.add_subplot()
    places = np.arange(len(counts))
    axes.bar(places, counts, width=0.74, color=BLUE, alpha=0.9)
    for place, count in zip(places, counts, strict=True):
        axes.annotate(
            f"{count:,}\n{count / counts.sum():.1%}", (place, count), xytext=(0, 4), ha="center",
            textcoords="offset points", fontsize=7.5, color=SOFT, linespacing=1.35,
            bbox=PATCH,
        )  # fmt: skip
    axes.set_xticks(places, counts.index, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_ylabel("pictures")
    axes.margins(y=0.16)
    only_grid(axes, "y")
    return figure


@in_our_look
def shapes_and_grey(manifest, grey, *, title="Sizes, proportions, and who is grey"):
    """Width against height, proportions, and the painters with most pictures without color.

    Args:
        manifest: table of artist, width and height, readable pictures only.
        grey: (n,) bool in the same order; see `atelier.data.tallies.is_grey`.
        title: of the figure.
    """
    width, height = (_some(manifest[side]).to_numpy(float) for side in ("width", "height"))
    if len({*zip(width, height, strict=True)}) == 1:
        figure = new_figure(title, 8.2, 3.4)
        sizes, painters = figure.subplots(1, 2, width_ratios=(1, 1.7))
        same = (
            f"All {len(width):,} pictures are {width[0]:.0f}\u00a0×\u00a0{height[0]:.0f} pixels. "
        )
        note(sizes, same + "If they had other proportions, resizing has lost them.", columns=30)
    else:
        figure = new_figure(title, 11, 3.9)
        sizes, proportions, painters = figure.subplots(1, 3)
        sizes.scatter(width, height, s=6, color=BLUE, alpha=0.25, linewidths=0)
        sizes.set(xlabel="width, pixels", ylabel="height, pixels", aspect="equal")
        proportions.hist(np.log2(width / height), bins=np.linspace(-2, 2, 41), color=BLUE)
        proportions.set_xticks([-2, -1, 0, 1, 2], ["1:4", "1:2", "1:1", "2:1", "4:1"])
        proportions.set(xlabel="width : height", ylabel="pictures", title="proportions")
    sizes.set_title("size")
    painters.set_title("without color")
    worst = grey_by_artist(manifest["artist"], grey).query("grey > 0").head(8)
    if worst.empty:
        note(painters, "No picture is without color.")
    else:
        names = [f"{row.Index} ({row.grey / row.pictures:.0%})" for row in worst.itertuples()]
        _bars(painters, worst["grey"].set_axis(names), GREY, "pictures (share of the painter's)")
        painters.margins(x=0.2)
    return figure


def grey_by_artist(artists, grey):
    """Table of `grey` and `pictures` by artist, most grey first."""
    counts = pd.DataFrame({"artist": np.asarray(artists), "grey": np.asarray(grey, bool)})
    table = counts.groupby("artist")["grey"].agg(grey="sum", pictures="size")
    return table.sort_values("grey", ascending=False, kind="stable")


@in_our_look
def leak_chart(judged, leaks, *, title="Validation pictures whose twin is in training"):
    """How much a split leaks: in all by kind of split, and by class for the first kind.

    Args:
        judged: dict of kind of split -> table of the pictures judged on, with `label`.
        leaks: dict of the same kinds -> those of them that leak.
        title: of the figure.
    """
    first = next(iter(judged))
    worst = leaks[first]["label"].value_counts().sort_values(ascending=False, kind="stable")
    figure = new_figure(title, 10.4, 1.7 + 0.24 * max(len(worst.head(24)), 8))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.7))
    for place, kind in enumerate(judged):
        leaking, pictures = len(leaks[kind]), len(judged[kind])
        share = 100 * leaking / max(pictures, 1)
        left.bar(place, share, width=0.6, color=RED)
        text = f"{leaking:,} of {pictures:,}\n{share:.1f} %"
        left.annotate(text, (place, share), (0, 4), textcoords="offset points", ha="center")
    left.set_xticks(range(len(judged)), list(judged))
    left.set(title="by kind of split", ylabel="% of the validation pictures", xlim=(-0.6, None))
    left.margins(x=0.15, y=0.2)
    left.set_ylim(bottom=0, top=None if len(leaks[first]) else 1)
    only_grid(left, "y")
    if worst.empty:
        note(right, "No class leaks.")
    else:
        _bars(right, worst.head(24), RED, "leaking validation pictures", size=8)
        right.set_title(f"by class, {first} split")
    return figure
