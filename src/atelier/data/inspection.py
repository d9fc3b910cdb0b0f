"""One file of a collection: what it is, what is odd about it, what was done about it."""

import dataclasses
import hashlib
from pathlib import Path

from PIL import Image

from atelier.data.reading import PictureError, decoding, open_picture, orientation, to_rgb
from atelier.data.thumbnails import describe

SUFFICIENT = (128, 128)  # height, width: larger JPEGs are decoded reduced, down to this
SKIPPED = "skipped"
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclasses.dataclass
class FileReport:
    """What the audit knows of a file.

    `width` and `height` are pixels, upright; `mode` is Pillow's; `problems` are
    (problem, action) pairs; `thumbnail` is a record of `thumbnails.RECORD`.
    All are None or empty where the file does not tell.
    """

    readable: bool = False
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    sha256: str | None = None
    problems: list = dataclasses.field(default_factory=list)
    thumbnail: object = None


def inspect_file(path):
    """Read a file once and report on it; a bad one is reported, never raised."""
    report = FileReport()
    try:
        data = Path(path).read_bytes()
        report.sha256 = hashlib.sha256(data).hexdigest()
        with open_picture(path, data) as image, decoding(path):
            report.problems += find_oddities(image, Path(path).suffix)
            width, height = image.size
            sideways = orientation(image) in _SIDEWAYS
            mode = image.mode
            image.draft(None, SUFFICIENT[::-1])
            report.thumbnail = describe(to_rgb(image))
        report.width, report.height = (height, width) if sideways else (width, height)
        report.mode, report.readable = mode, True
    except PictureError as error:
        report.problems.append((error.problem, f"{SKIPPED}: {error.found}"))
    except OSError as error:
        report.problems.append(("unreadable", f"{SKIPPED}: {error.strerror or error}"))
    return report


def find_oddities(image, suffix):
    """(problem, action) pairs of an opened picture that can be used all the same."""
    found = []
    if not _suits(image.format, suffix):
        found.append(
            ("disguised", f"read as {image.format}, whatever {suffix or 'no suffix'} says")
        )
    if image.format != "MPO" and getattr(image, "is_animated", False):
        found.append(("animated", f"first of {image.n_frames} frames used"))
    if image.mode == "CMYK":
        found.append(("CMYK", "converted to RGB"))
    if bits := _depth(image):
        found.append((bits, "scaled to 8 bits"))
    if orientation(image) != 1:
        found.append(("EXIF-rotated", "turned upright"))
    if image.has_transparency_data:
        found.append(("transparent", "laid on white"))
    return found


def _suits(format_, suffix):
    """Whether a file's name promises what it holds; MPO is a JPEG with more behind it."""
    promised = Image.registered_extensions().get(suffix.lower())
    return promised == ("JPEG" if format_ == "MPO" else format_)


def _depth(image):
    """Name of a depth of more than 8 bits a channel, "16-bit" or "32-bit", or None.

    Pillow calls a 16-bit color picture RGB; what it reads is in the decoder's arguments.
    """
    if image.mode in ("I", "F"):
        return "32-bit"
    raw = [part for tile in image.tile for part in _parts(tile[3]) if isinstance(part, str)]
    deep = image.mode.startswith("I;16") or any(";16" in part for part in raw)
    return "16-bit" if deep else None


def _parts(arguments):
    return arguments if isinstance(arguments, tuple) else (arguments,)
