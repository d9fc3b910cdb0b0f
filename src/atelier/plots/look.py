"""The look that all figures share: paper, ink, few colors, room to breathe.

Colors that must be told apart are Paul Tol's "muted" set, safe for color-blind
readers (personal.sron.nl/~pault, technical note 2021); amounts run from paper to
one blue. Fonts are those that Matplotlib ships, so that a figure looks the same
on every machine.
"""

import functools
import textwrap

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK, SOFT, FAINT, PAPER = "#22262b", "#6b7178", "#e3e5e8", "#ffffff"
BLUE, RED, GOLD, GREY = "#33628f", "#c4533a", "#d3a13b", "#b9bec4"
MUTED = (
    "#332288", "#cc6677", "#117733", "#88ccee", "#882255", "#ddcc77", "#44aa99", "#aa4499", "#999933"
)  # fmt: skip
BLUES = LinearSegmentedColormap.from_list(
    "atelier_blues", ("#ffffff", "#dfe9f2", "#9dbdd9", "#4f85b5", "#1f4c7a", "#0f2f52")
)

LOOK = {
    "figure.facecolor": PAPER,
    "figure.dpi": 100,
    "savefig.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 9,
    "axes.labelpad": 6,
    "axes.titlesize": 10,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=MUTED),
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "patch.linewidth": 0,
    "image.interpolation": "antialiased",
}

PATCH = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # behind text that crosses lines
TITLE = {"fontfamily": "DejaVu Serif", "fontsize": 14, "fontweight": "bold", "color": INK}


def in_our_look(draw):
    """Decorate a function that draws: it runs with `LOOK`, and the caller's settings stay."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(LOOK)
            return draw(*args, **kwargs)

    return drawn


def new_figure(title, width, height):
    """An empty Figure of `width` × `height` inches, titled at the top left."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.03)
    lines = textwrap.wrap(title, int(width * 8.2)) or [""]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", **TITLE)
    return figure


def caption_line(**facts):
    """One line for below a figure: `caption_line(data="sample", split="grouped", seed=0, ...)`.

    `data`, `device` and `date` stand for themselves; other facts carry their
    names. Facts that are None are left out.
    """
    bare = ("data", "device", "date", "note")
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return " · ".join(
        f"{fact}" if name in bare else f"{name.replace('_', ' ')} {fact}"
        for name, fact in known.items()
    )


def titled(title, subject):
    """`subject` with what it is about before it, where something is."""
    if not title:
        return subject
    acronym = subject[:2].isupper()
    return f"{title}: {subject if acronym else subject[0].lower() + subject[1:]}"


def only_grid(axes, axis):
    """Keep grid lines across one axis only, and no spine along the other."""
    axes.grid(visible=False)
    axes.grid(visible=True, axis=axis)
    axes.spines["left" if axis == "x" else "bottom"].set_visible(True)


def bare(axes):
    """No ticks, no grid, no frame: for pictures."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def note(axes, text, columns=44):
    """Say in an empty panel why it is empty."""
    bare(axes)
    axes.text(
        0.5, 0.5, textwrap.fill(text, columns), transform=axes.transAxes, ha="center", va="center",
        color=SOFT, linespacing=1.5,
    )  # fmt: skip
