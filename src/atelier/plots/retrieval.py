"""Figures of what a classifier finds alike, and of what it finds odd.

A picture that may not be shown (see `atelier.data.rights`) is None here: its
place stays blank, its caption stays.
"""

import numpy as np

from atelier.errors import AtelierError
from atelier.plots.grids import picture_grid
from atelier.plots.look import BLUE, GOLD, RED

BLANK = np.full((8, 8, 3), 238, "uint8")  # stands for a picture that may not be shown
_NOT_SHOWN = "not shown: rights"


def similar_grid(asked, pictures, table, *, caption="asked", label=None, columns=5, title=None):
    """A picture and those most similar to it; those of its label are framed in blue.

    Args:
        asked: (h, w, 3) RGB in [0, 255], or None if it may not be shown.
        pictures: n likewise, in the table's order.
        table: columns label and similarity (cosine), n rows.
        caption: the name of the picture asked about.
        label: its label, or None where it is not known: then nothing is framed.
        columns: pictures in a row.
        title: of the figure.

    Raises:
        AtelierError: if pictures and rows differ in number.
    """
    _same_length(pictures, table)
    named = table["label"].astype("string").fillna("unknown")
    texts = [f"{name} {value:.2f}" for name, value in zip(named, table["similarity"], strict=True)]
    head = caption if label is None else f"{caption} {label}"
    title = title or "A picture, and those most similar to it"
    figure = _grid([asked, *pictures], [head, *texts], columns, title)
    if label is not None:
        for axes, right in zip(figure.axes[1:], named == label, strict=False):
            if right:
                _frame(axes, BLUE)
    return figure


def outlier_grid(pictures, table, *, columns=5, title=None):
    """Pictures that a classifier finds odd; wrong ones framed in red, unsure ones in gold.

    Args:
        pictures: n times (h, w, 3) RGB in [0, 255], or None if it may not be shown.
        table: columns label, predicted, probability, kinds, n rows; see `classify.outliers`.
        columns: pictures in a row.
        title: of the figure.

    Raises:
        AtelierError: if pictures and rows differ in number.
    """
    _same_length(pictures, table)
    rows = list(table.itertuples())
    wrong = [row.label != row.predicted for row in rows]
    texts = [_answer(row, odd) for row, odd in zip(rows, wrong, strict=True)]
    title = title or "Odd ones: wrong (red) or unsure (gold)"
    figure = _grid(pictures, texts, columns, title)
    for axes, row, odd in zip(figure.axes, rows, wrong, strict=False):
        if odd or "low confidence" in row.kinds:
            _frame(axes, RED if odd else GOLD)
    return figure


def _answer(row, wrong):
    said = f"{row.label}, called {row.predicted}" if wrong else row.label
    doubt = " (label?)" if "label error" in row.kinds else ""
    return f"{said} {row.probability:.0%}{doubt}"


def _same_length(pictures, table):
    if len(pictures) != len(table):
        found = f"{len(pictures)} and {len(table)}"
        raise AtelierError("as many pictures as rows", found, "Pass one for each row.")


def _grid(pictures, texts, columns, title):
    shown = [BLANK if picture is None else picture for picture in pictures]
    captions = [
        f"{text} ({_NOT_SHOWN})" if picture is None else text
        for picture, text in zip(pictures, texts, strict=True)
    ]
    return picture_grid(shown, captions, columns=columns, title=title)


def _frame(axes, color):
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=2.5)
