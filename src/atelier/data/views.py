"""Six views of a painting: the whole of it, and five details as large as the file shows them.

Source: a published DenseNet-121 classifier of movements, which pads a picture to a
square and resizes it to 256 pixels, to see the composition, and cuts five windows of
256 pixels from the corners and the middle without resizing, to see the brushwork.
Differs: what is smaller than a window is first enlarged to cover it, since black
borders would tell more of a file's size than of its painter. Where all files are no larger
than a view, details show nothing new: choose a smaller view.

A view takes as much room as a picture, so the six of a painting take six times as much.
"""

import math

import numpy as np
from PIL import Image, ImageOps

VIEWS = ("whole", "top_left", "top_right", "bottom_left", "bottom_right", "middle")


def six_views(image, view_size):
    """The whole picture, its four corners and its middle.

    Args:
        image: (height, width, 3) uint8, in the size of its file.
        view_size: (height, width) of a view, pixels.

    Returns:
        (6, *view_size, 3) uint8, in the order of `VIEWS`; the first is padded with black.
    """
    rows, columns = view_size
    picture = Image.fromarray(image)
    whole = ImageOps.pad(picture, (columns, rows), Image.Resampling.BICUBIC)
    if picture.height < rows or picture.width < columns:
        picture = ImageOps.cover(picture, (columns, rows), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture)
    bottom, right = pixels.shape[0] - rows, pixels.shape[1] - columns
    corners = ((0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2))
    details = [pixels[top : top + rows, left : left + columns] for top, left in corners]
    return np.stack([np.asarray(whole), *details])


def view_side(manifest, asked):
    """How large a view may be for details to show more than the whole does.

    Args:
        manifest: see `atelier.data.manifest`.
        asked: side of a view in pixels, which is kept where files are large enough.

    Returns:
        Pixels: half the median of the files' shorter sides, rounded up to a multiple of 32;
        at most what was asked.
    """
    shorter = manifest[["width", "height"]].min(axis=1).median()
    return min(asked, 32 * math.ceil(shorter / 2 / 32))


def average_views(probabilities):
    """Mean over the six views of each painting, (6 n, classes) -> (n, classes)."""
    by_painting = probabilities.reshape(-1, len(VIEWS), probabilities.shape[-1])
    return by_painting.mean(axis=1)
