"""Pictures that others send: read within limits, or refused in one friendly sentence.

Pillow decides by content; the file's name says nothing here. What `data.reading` does for
collections is done for uploads too: rotation, CMYK, 16 bits, transparency, the first frame.
HEIC is read by pillow-heif, where it is installed.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from atelier.data.images import fit_picture
from atelier.data.reading import PictureError, decoding, open_picture, to_rgb
from atelier.errors import AtelierError
from atelier.serve.settings import Settings

SMALLEST = 32  # pixels of the shorter side
_SENTENCES = {
    "empty": "This file is empty. Please choose another one.",
    "disguised": "This is {found}, not a picture. Please choose a JPEG, PNG, WebP, TIFF or HEIC.",
    "truncated": "This picture ends too early, as if it was not sent whole. Please send it again.",
    "unreadable": "This picture cannot be read. Please save it anew, as a JPEG or PNG say.",
    "decompression-bomb-sized": "This picture has {found} pixels. {most} million are the most.",
    "heavy": "This file has {found} MB. {most} MB are the most.",
    "narrow": "This picture is {found} pixels. Its shorter side must have at least 32.",
}


class RefusedError(AtelierError):
    """An upload that cannot be used; `.sentence` says why to whoever sent it."""

    def __init__(self, problem, found, most=None):
        self.problem = problem
        self.sentence = _SENTENCES[problem].format(found=found, most=most)
        super().__init__("a picture", found, self.sentence)

    def __str__(self):
        return self.sentence


def read_upload(path, settings=None):
    """Read a picture that somebody sent.

    Args:
        path: the file, under a name of the server's own.
        settings: a `Settings`, whose limits count.

    Returns:
        (height, width, 3) uint8, RGB, upright.

    Raises:
        RefusedError: if it is no picture, too large or too small, or broken.
    """
    settings, path = settings or Settings(), Path(path)
    _know_heic()
    try:
        size = path.stat().st_size
        if size > settings.max_bytes:
            raise RefusedError("heavy", round(size / 1e6, 1), settings.max_bytes // 10**6)
        with open_picture("an upload", path.read_bytes()) as image, decoding("an upload"):
            _check_size(image, settings)
            return to_rgb(image)
    except RefusedError:
        raise
    except PictureError as error:
        raise _refused(error, settings) from error
    except OSError as error:
        raise RefusedError("unreadable", error.strerror or error) from error


def _refused(error, settings):
    return RefusedError(error.problem, _found(error), settings.max_pixels // 10**6)


def _found(error):
    """What was found, without the sentence that Pillow makes of it."""
    return str(error.found).split(" pixels")[0][:80]


def _check_size(image, settings):
    size = f"{image.width} x {image.height}"
    if image.width * image.height > settings.max_pixels:
        raise RefusedError("decompression-bomb-sized", size, settings.max_pixels // 10**6)
    if min(image.size) < SMALLEST:
        raise RefusedError("narrow", size)


def within(picture, side):
    """A picture whose longer side has at most so many pixels.

    Args:
        picture: (height, width, 3) uint8.
        side: pixels.
    """
    longer = max(picture.shape[:2])
    if longer <= side:
        return picture
    return fit_picture(picture, tuple(max(1, round(n * side / longer)) for n in picture.shape[:2]))


def as_image(pixels):
    """Pixels in [0, 255], (height, width, 3), as a Pillow image."""
    return Image.fromarray(np.uint8(np.rint(np.clip(pixels, 0, 255))))


@functools.cache
def _know_heic():
    """Let Pillow read HEIC, once."""
    if importlib.util.find_spec("pillow_heif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
