"""Decode once: a collection's pictures as one uint8 memory map per size and fit.

The maps (see `pixels`) lie in the collection's workspace. Whatever was decoded once is
opened at once; what changed since is noticed by its file's size and time.

Sizes change by Pillow's bicubic filter, which widens as it shrinks and so does not alias.
"""

import dataclasses
import functools
import logging
import os
from pathlib import Path

import numpy as np
from PIL import Image

from atelier.data.pixels import PixelStore, covers, file_stamp
from atelier.data.reading import read_rgb
from atelier.data.views import VIEWS, six_views
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

FITS = ("squash", "crop", "pad")
SIX_VIEWS = "views"  # a fit that makes six pictures of one; see `atelier.data.views`


@dataclasses.dataclass(frozen=True)
class DecodedImages:
    """Decoded pictures; `pixels` may hold more of the collection than was asked for."""

    pixels: np.ndarray  # (n, height, width, 3) uint8, a read-only memory map; with views
    # (n, 6, height, width, 3)
    paths: list[str]  # (n,), relative to the collection, row by row
    skipped: dict[str, str]  # those asked for that cannot be read -> why

    def __post_init__(self):
        rows = {path: row for row, path in enumerate(self.paths)}
        object.__setattr__(self, "_rows", rows)

    def rows(self, paths):
        """Rows of `pixels` that hold these pictures, (len(paths),) int64.

        Raises:
            AtelierError: if one of them was not decoded.
        """
        paths = [Path(path).as_posix() for path in paths]
        for path in paths:
            if path not in self._rows:
                why = self.skipped.get(path, "one that was not asked for")
                raise AtelierError(f"decoded pixels of {path}", why, "Leave it out, or decode it.")
        return np.array([self._rows[path] for path in paths], dtype=np.int64)


def fit_picture(image, image_size, fit="squash"):
    """Bring a picture to a size.

    Args:
        image: (height, width, 3) uint8.
        image_size: (height, width) of the result, pixels.
        fit: "squash" changes the proportions, "crop" keeps the middle part of the right
            proportions, "pad" keeps all and lays it on black.

    Returns:
        (*image_size, 3) uint8.
    """
    rows, columns = image_size
    height, width = image.shape[:2]
    if fit == "pad":
        scale = min(rows / height, columns / width)
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (rows - tall) // 2, (columns - wide) // 2
        result = np.zeros((rows, columns, 3), np.uint8)
        result[top : top + tall, left : left + wide] = fit_picture(image, (tall, wide))
        return result
    part_y = part_x = 0.0  # cut away on each side, source pixels
    if fit == "crop":
        scale = min(height / rows, width / columns)
        part_y, part_x = (height - rows * scale) / 2, (width - columns * scale) / 2
    if (height, width) == (rows, columns):
        return image
    box = (part_x, part_y, width - part_x, height - part_y)
    resized = Image.fromarray(image).resize((columns, rows), Image.Resampling.BICUBIC, box)
    return np.array(resized)


def decode(directory, paths, *, image_size=(224, 224), fit="squash", workers=None, progress=None):
    """Decode pictures of a collection, or open the map where that was done before.

    Args:
        directory: the collection's root; nothing is written there.
        paths: of the pictures, relative to it.
        image_size: (height, width), pixels.
        fit: "squash", "crop" or "pad" (see `fit_picture`), or "views" for six of each.
        workers: threads; None takes one for each core.
        progress: called with (done, total) while pictures are read.

    Returns:
        `DecodedImages`. What cannot be read is logged and in `.skipped`.

    Raises:
        AtelierError: if the settings are wrong, nothing can be read, or the map cannot be
            written.
    """
    wanted = list(dict.fromkeys(Path(path).as_posix() for path in paths))
    size = _checked(directory, wanted, image_size, fit)
    store = PixelStore(Path(directory), size, fit)
    stamps = {path: file_stamp(store.directory / path) for path in wanted}
    try:
        index, pixels = store.open()
        if not covers(index, stamps):
            with store.lock():
                index, _ = store.open()  # another process may have done the work meanwhile
                if not covers(index, stamps):
                    read = functools.partial(_read, size=size[-2:], fit=fit)
                    store.build(index, stamps, read, workers or os.cpu_count() or 1, progress)
            index, pixels = store.open()
    except OSError as error:
        raise AtelierError(
            f"to write decoded pictures to {store.folder}",
            f"{error.strerror or error}",
            "Free some space there or make it writable.",
        ) from error
    if index is None:
        raise AtelierError(
            f"whole decoded pictures in {store.folder}",
            "broken ones, just after they were written",
            "Remove that folder and see that its disk is sound.",
        )
    skipped = {path: index["skipped"][path][1] for path in wanted if path in index["skipped"]}
    if skipped:
        log.warning("%d of %d pictures cannot be read and are left out.", len(skipped), len(wanted))
    if len(skipped) == len(wanted):
        first, why = next(iter(skipped.items()))
        raise AtelierError("pictures that can be read", f"none; {first}: {why}", "Check the files.")
    return DecodedImages(pixels, list(index["files"]), skipped)


def _checked(directory, wanted, image_size, fit):
    """The size of a map's row as ints, once everything that was asked for makes sense."""
    fits = (*FITS, SIX_VIEWS)
    if fit not in fits:
        raise AtelierError(f"a fit among {', '.join(fits)}", repr(fit), "Name one of these.")
    if len(image_size) != 2 or min(image_size) < 1:
        raise AtelierError("a height and width of 1 or more", f"{image_size}", "Correct the size.")
    if not Path(directory).is_dir():
        raise AtelierError(
            f"a collection at {directory}", "no such folder", "Correct the path, or fetch it."
        )
    if not wanted:
        raise AtelierError("pictures to decode", "none", f"Check that {directory} holds images.")
    size = tuple(int(side) for side in image_size)
    return (len(VIEWS), *size) if fit == SIX_VIEWS else size


def _read(path, size, fit):
    """The picture or views in their final size, or the error that says why there are none."""
    enough = 2 * max(size)  # a decoder may shrink to this; the rest is a good filter's work
    try:
        if fit == SIX_VIEWS:
            return six_views(read_rgb(path), size)
        return fit_picture(read_rgb(path, at_least=(enough, enough)), size, fit)
    except AtelierError as error:
        return error
