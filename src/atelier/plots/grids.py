"""Grids of pictures: plain ones, and ones with what a classifier says of them.

`showable` keeps pictures out of figures that are published: see
`atelier.data.rights`. What is left out is counted below the title.
"""

import textwrap

import numpy as np

from atelier.errors import AtelierError
from atelier.plots.look import (
    BLUE,
    FAINT,
    GREY,
    INK,
    RED,
    SOFT,
    bare,
    in_our_look,
    new_figure,
    note,
    titled,
)


@in_our_look
def picture_grid(images, captions, *, columns=5, title="Pictures", cell=1.75):
    """Pictures in rows, each with a line or two below it.

    Args:
        images: list of (h, w, 3) RGB in [0, 255], of any sizes.
        captions: one text for each.
        columns: pictures in a row.
        title: of the figure.
        cell: width of a picture in inches.

    Raises:
        AtelierError: if images and captions differ in number.
    """
    _same_length(images, captions)
    rows = max(1, -(-len(images) // columns))
    figure = new_figure(title, max(cell * columns, 5.0), rows * (cell + 0.32) + 0.5)
    cells = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in cells:
        bare(axes)
    if not len(images):
        note(cells[len(cells) // 2], "No picture to show.")
    for axes, image, caption in zip(cells, images, captions, strict=False):
        _show(axes, image)
        axes.set_xlabel(textwrap.fill(str(caption), 22), color=INK, fontsize=8, labelpad=3)
    return figure


def _same_length(images, captions):
    if len(images) != len(captions):
        found = f"{len(images)} and {len(captions)}"
        raise AtelierError("as many captions as pictures", found, "Pass one text for each.")


def _show(axes, image):
    """Draw a picture; at its own proportions, with no more pixels than are seen."""
    image = np.asarray(image)
    step = max(1, min(image.shape[:2]) // 320)
    axes.imshow(np.clip(image[::step, ::step], 0, 255).astype("uint8"))


@in_our_look
def augmentation_grid(original, rows, *, title="One picture, many"):
    """A picture, and below it rows of what augmentation makes of it.

    Args:
        original: (h, w, 3) RGB in [0, 255].
        rows: dict of preset name -> list of pictures, equally many in each.
        title: of the figure.
    """
    columns = max(len(pictures) for pictures in rows.values())
    figure = new_figure(title, 1.55 * (columns + 1) + 0.3, 1.62 * len(rows) + 0.7)
    panels = figure.subplots(len(rows), columns + 1, squeeze=False)
    for axes in panels.ravel():
        bare(axes)
    for (name, pictures), line in zip(rows.items(), panels, strict=True):
        _show(line[0], original)
        line[0].set_ylabel(name, color=INK, fontsize=9, weight="bold")
        for axes, picture in zip(line[1:], pictures, strict=False):
            _show(axes, picture)
    panels[0, 0].set_title("original", fontsize=8.5, color=SOFT)
    panels[0, 1].set_title("augmented", fontsize=8.5, color=SOFT)
    return figure


@in_our_look
def pair_grid(pairs, *, columns=4, title="The same painting twice"):
    """Pairs of pictures side by side.

    Args:
        pairs: list of (first, second, caption), pictures (h, w, 3) RGB in [0, 255].
        columns: pairs in a row.
        title: of the figure.
    """
    rows = max(1, -(-len(pairs) // columns))
    figure = new_figure(title, 2.65 * columns, rows * 1.6 + 0.5)
    if not pairs:
        note(figure.add_subplot(), "No pair to show.")
        return figure
    for cell in figure.subfigures(rows, columns, squeeze=False, wspace=0.04).ravel():
        if not pairs:
            break
        first, second, caption = pairs[0]
        pairs = pairs[1:]
        for axes, picture in zip(cell.subplots(1, 2), (first, second), strict=True):
            bare(axes)
            _show(axes, picture)
        cell.suptitle(caption, fontsize=8, color=INK, y=0.99)
    return figure


@in_our_look
def prediction_grid(
    images, probabilities, labels, class_names, *, showable=None, count=12, seed=0, title=None
):
    """Pictures drawn at random with their likeliest classes as bars; the true one is blue.

    Args:
        images: sequence of n pictures, read one by one.
        probabilities: (n, k).
        labels: (n,) integers.
        class_names: k names.
        showable: (n,) bool; default all.
        count: pictures shown.
        seed: of the choice.
        title: what is judged.
    """
    candidates = _candidates(len(labels), showable)
    chosen = np.random.default_rng(seed).permutation(candidates)[:count]
    subject = titled(title, "Pictures drawn at random, and what it says")
    return _answers(images, probabilities, labels, class_names, np.sort(chosen), subject)


@in_our_look
def answer_bars(captions, probabilities, labels, class_names, *, count=12, seed=0, title=None):
    """As `prediction_grid`, for pictures that may not be shown: a caption stands for each.

    Args:
        captions: n texts.
        probabilities: (n, k).
        labels: (n,) integers.
        class_names: k names.
        count: captions shown.
        seed: of the choice.
        title: what is judged.

    Raises:
        AtelierError: if captions and labels differ in number.
    """
    if len(captions) != len(labels):
        found = f"{len(captions)} and {len(labels)}"
        raise AtelierError("as many captions as labels", found, "Pass one text for each.")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(labels))[:count])
    columns = 3
    rows = max(1, -(-len(chosen) // columns))
    subject = titled(title, "Pictures drawn at random, and what it says")
    figure = new_figure(subject, 9.6, rows * 1.3 + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        bare(axes)
    for axes, index in zip(panels, chosen, strict=False):
        name = textwrap.shorten(f"{captions[index]}", 46, placeholder=" …")
        axes.set_title(f"{name}\n{class_names[labels[index]]}", fontsize=8, loc="left", pad=4)
        _bars(axes, probabilities[index], int(labels[index]), class_names)
    return figure


@in_our_look
def mistake_grid(
    images, probabilities, labels, class_names, *, showable=None, count=12, title=None
):
    """The wrong answers it was surest of, surest first; arguments as `prediction_grid`."""
    named, sure = np.argmax(probabilities, axis=1), np.max(probabilities, axis=1)
    candidates = _candidates(len(labels), showable)
    wrong = candidates[named[candidates] != np.asarray(labels)[candidates]]
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")][:count]
    subject = titled(title, "Wrong, and sure of it")
    return _answers(images, probabilities, labels, class_names, chosen, subject)


def _candidates(n, showable):
    if showable is None:
        return np.arange(n)
    showable = np.asarray(showable, bool)
    if showable.shape != (n,):
        raise AtelierError(
            f"`showable` for {n} pictures", f"shape {showable.shape}", "Pass them all."
        )
    return np.flatnonzero(showable)


def _answers(images, probabilities, labels, class_names, chosen, title, *, columns=4):
    """Pictures with bars below: the three likeliest classes, and the true one if it is not there."""
    rows = max(1, -(-len(chosen) // columns))
    figure = new_figure(title, 8.8, rows * 2.95 + 0.4)
    if not len(chosen):
        note(figure.add_subplot(), "No picture to show: none fits, or none may be shown.")
        return figure
    panels = figure.subplots(rows * 2, columns, height_ratios=(2.75, 1) * rows)
    for axes in panels.ravel():
        bare(axes)
    for place, index in enumerate(chosen):
        row, column = divmod(place, columns)
        above, below = panels[2 * row, column], panels[2 * row + 1, column]
        _show(above, images[int(index)])
        above.set_title(class_names[labels[index]], fontsize=8.5, loc="center", pad=4)
        _bars(below, probabilities[index], int(labels[index]), class_names)
    return figure


def _bars(axes, probabilities, label, class_names):
    likeliest = np.argsort(-probabilities, kind="stable")[:3].tolist()
    shown = likeliest if label in likeliest else [*likeliest[:2], label]
    for place, index in enumerate(shown):
        value = float(probabilities[index])
        wrong = index == likeliest[0] and index != label
        color = BLUE if index == label else RED if wrong else GREY
        axes.barh(place, 1, height=0.78, color=FAINT, alpha=0.6)
        axes.barh(place, value, height=0.78, color=color, alpha=0.55)
        axes.text(0.02, place, class_names[index], va="center", fontsize=7.5)
        axes.text(0.98, place, f"{value:.0%}", va="center", ha="right", fontsize=7.5)
    axes.set(xlim=(0, 1), ylim=(2.6, -0.6))
