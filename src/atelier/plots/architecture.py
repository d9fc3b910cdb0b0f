"""What a network is made of, drawn from the picture at the top to the probabilities.

Keras's own `plot_model` needs Graphviz, a program that pip does not install, and
draws each of a body's hundreds of layers. Here a body is one box, and layers stand
in the order in which they are computed; where they branch is not drawn.
"""

import matplotlib.patches as mpatches

from atelier.plots.look import BLUE, FAINT, INK, SOFT, bare, in_our_look, new_figure, titled

_HEIGHT = 0.72  # of a box, in rows


@in_our_look
def architecture(boxes, *, title=None):
    """Boxes from top to bottom, those with weights in blue.

    Args:
        boxes: list of (name, what it is, output shape, number of parameters).
        title: what is drawn.
    """
    figure = new_figure(titled(title, "Architecture"), 7.2, 1.2 + 0.42 * len(boxes))
    axes = figure.add_subplot()
    bare(axes)
    axes.set(xlim=(0, 1), ylim=(len(boxes), -0.1))
    for row, (name, kind, shape, parameters) in enumerate(boxes):
        color = BLUE if parameters else FAINT
        axes.add_patch(
            mpatches.FancyBboxPatch(
                (0.02, row), 0.96, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.012",
                facecolor="white", edgecolor=color, linewidth=1.2,
            )
        )  # fmt: skip
        middle = row + _HEIGHT / 2
        axes.text(0.04, middle, name, va="center", color=INK, weight="bold")
        axes.text(0.36, middle, kind, va="center", color=SOFT)
        axes.text(0.78, middle, _shape(shape), va="center", ha="right", color=INK)
        count = f"{parameters:,}" if parameters else ""
        axes.text(0.96, middle, count, va="center", ha="right", color=SOFT)
    axes.set_xlabel("name, kind, output, parameters")
    return figure


def _shape(shape):
    """An output shape without the batch, such as `7 × 7 × 2048`; free sides are `?`."""
    return " × ".join("?" if side is None else str(side) for side in shape[1:])
