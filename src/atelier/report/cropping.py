"""A figure without its own title and its line of provenance: in a paper, captions say both.

Figures of `atelier.plots` are titled at the top left in ink and end with one or two lines in a
softer grey, each with white above and below; what does not look like that is left as it is.
"""

import numpy as np

_WHITE = 250  # of 255, from which a pixel is paper
_TITLE = 26  # pixels that a line of the title is high, at most
_NOTE = 16  # the same of the line of provenance
_LEFT = 0.05  # share of the width within which both begin
_SOFT = 80  # of 255: letters of the provenance are lighter, those of labels darker
_MARGIN = 6  # pixels of paper that are left


def bands(ink):
    """First and last row (exclusive) of every run of rows with ink, from top to bottom."""
    rows = np.flatnonzero(np.diff(np.r_[0, ink.any(axis=1).astype(int), 0]))
    return list(zip(rows[::2], rows[1::2], strict=True))


def without_title(picture):
    """The picture between its title and its line of provenance.

    Args:
        picture: an RGB `PIL.Image`.
    """
    pixels = np.asarray(picture)
    ink = pixels.min(axis=-1) < _WHITE
    found = bands(ink)
    if len(found) < 3:
        return picture
    top, bottom = 0, picture.height
    if _begins_left(ink, found[0]) and found[0][1] - found[0][0] <= _TITLE:
        found = found[1:]
        top = max(found[0][0] - _MARGIN, 0)
    while len(found) > 1 and _is_note(pixels, ink, found[-1]):
        found = found[:-1]
        bottom = min(found[-1][1] + _MARGIN, picture.height)
    return picture.crop((0, top, picture.width, bottom))


def _begins_left(ink, band):
    columns = np.flatnonzero(ink[slice(*band)].any(axis=0))
    return columns[0] < _LEFT * ink.shape[1]


def _is_note(pixels, ink, band):
    low = band[1] - band[0] <= _NOTE and _begins_left(ink, band)
    return low and int(pixels[slice(*band)].min()) >= _SOFT
