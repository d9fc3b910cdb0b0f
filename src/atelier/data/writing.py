"""A picture as a file, with a note in it on how it was made.

The file's ending decides its kind. PNG and TIFF may have 16 bits a channel, which Pillow cannot
write for colors: OpenCV and tifffile do. The note is EXIF's image description, where every
viewer looks; `read_note` gives it back.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from atelier import __version__, storage
from atelier.errors import AtelierError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
DEEP = (".png", ".tif", ".tiff")  # those that may have 16 bits
_QUALITY = 95  # of JPEG and WebP


def check_suffix(path, bits=8):
    """Refuse a file that pictures cannot be written to, before anything is computed.

    Args:
        path: the file.
        bits: 8 or 16, a channel.

    Raises:
        AtelierError: naming the endings that will do.
    """
    allowed = {8: SUFFIXES, 16: DEEP}.get(bits)
    if allowed is None:
        raise AtelierError("8 or 16 bits a channel", bits, "Choose one of them.")
    if Path(path).suffix.lower() not in allowed:
        raise AtelierError(
            f"a file for {bits} bits that ends in {', '.join(allowed)}", str(path), "Rename it."
        )


def write_picture(path, pixels, *, note=None, bits=8):
    """Write a picture whole or not at all.

    Args:
        path: the file; its ending is its kind.
        pixels: (height, width, 3) RGB in [0, 255], uint8 or float.
        note: JSON-able, how it was made.
        bits: 8, or 16 for PNG and TIFF.

    Raises:
        AtelierError: if the ending will not do, or the file cannot be written.
    """
    path = Path(path)
    check_suffix(path, bits)
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = f"atelier {__version__}"
    if note is not None:
        exif[ExifTags.Base.ImageDescription] = json.dumps(note)
    pixels = np.clip(np.asarray(pixels, "float32"), 0, 255)
    try:
        with storage.atomic_path(path) as temporary:
            if bits == 16:
                _write_deep(temporary, pixels, exif)
            else:
                image = Image.fromarray(np.uint8(np.rint(pixels)))
                image.save(temporary, quality=_QUALITY, exif=exif)
    except OSError as error:
        raise AtelierError(
            f"to write {path}", error.strerror or error, "Name another place, or make it writable."
        ) from error


def _write_deep(path, pixels, exif):
    deep = np.uint16(np.rint(pixels * 257))
    if path.suffix.lower() != ".png":
        import tifffile  # needed here alone, and not by machines that train

        said = exif.get(ExifTags.Base.ImageDescription)
        software = exif[ExifTags.Base.Software]
        # Without metadata of its own, which would go before the note.
        tifffile.imwrite(
            path, deep, photometric="rgb", description=said, software=software, metadata=None
        )
        return
    block = np.frombuffer(exif.tobytes().removeprefix(b"Exif\0\0"), np.uint8)
    if not cv2.imwriteWithMetadata(str(path), deep[..., ::-1], [cv2.IMAGE_METADATA_EXIF], [block]):
        raise OSError("OpenCV could not write it")


def read_note(path):
    """What `write_picture` noted in a file, or None."""
    with Image.open(path) as image:
        text = image.getexif().get(ExifTags.Base.ImageDescription)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None
