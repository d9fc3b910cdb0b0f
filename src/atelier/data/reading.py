"""Any readable picture as upright RGB, and a name for what is wrong with any other.

Pillow decides by content, never by the file's name. What is converted: EXIF
rotation is applied, CMYK and Lab pass through their ICC profile, 16-bit and
float values are scaled (Pillow alone would clip them), transparency is laid on
white, and of several frames or pages the first is taken.
"""

import contextlib
import io
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from atelier.data.layouts.names import IMAGE_SUFFIXES
from atelier.errors import AtelierError

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "PictureError",
    "decoding",
    "open_picture",
    "orientation",
    "read_rgb",
    "to_rgb",
]

MAX_PIXELS = 178_956_970  # width x height; where Pillow, too, suspects a decompression bomb

_PILLOW = re.compile(r"PIL\.")
_KINDS = {  # first bytes: what such a file is, when it has an image's name
    b"<!do": "a web page",
    b"<htm": "a web page",
    b"<?xm": "XML",
    b"<svg": "an SVG drawing",
    b"%pdf": "a PDF",
    b"pk\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"vers": "a Git LFS pointer",
    b"{": "JSON",
}
_IMAGE_STARTS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


class PictureError(AtelierError):
    """A file that cannot be used as a picture.

    `.problem` is its kind: empty, disguised, truncated, unreadable or
    decompression-bomb-sized.
    """

    def __init__(self, problem, expected, found, remedy):
        super().__init__(expected, found, remedy)
        self.problem = problem


def read_rgb(path, *, at_least=None):
    """Read a picture.

    Args:
        path: the file.
        at_least: (height, width) in pixels that suffice: a larger JPEG may then be decoded at
            a half, a quarter or an eighth of its size, not below this. Much faster.

    Returns:
        (height, width, 3) uint8, RGB, upright.

    Raises:
        PictureError: if there is no such file or it cannot be read; an `AtelierError`.
    """
    try:
        with open_picture(path) as image, decoding(path):
            if at_least is not None:
                image.draft(None, at_least[::-1])
            return to_rgb(image)
    except OSError as error:
        raise PictureError(
            "unreadable", f"a picture at {path}", error.strerror or error, "Correct the path."
        ) from error


def pictures_in(paths):
    """Pictures named, and those inside folders named, in order."""
    files = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file())
            files += [p for p in inside if p.suffix.lower() in IMAGE_SUFFIXES]
        else:
            files.append(path)
    return files


@contextlib.contextmanager
def open_picture(path, data=None):
    """Open a picture without decoding it yet, as a Pillow image.

    Args:
        path: the file, for messages and, without `data`, to read.
        data: its bytes, where they were read already.

    Raises:
        PictureError: if it is empty, no picture, or has over `MAX_PIXELS` pixels.
        OSError: if the file cannot be opened.
    """
    data = Path(path).read_bytes() if data is None else data
    with io.BytesIO(data) as stream, _open(path, stream) as image:
        yield image


def _open(path, stream):
    _silence_pillow()
    start = stream.read(512)
    if not start:
        raise PictureError("empty", f"a picture at {path}", "an empty file", _AGAIN)
    stream.seek(0)
    try:
        image = Image.open(stream)
    except Image.DecompressionBombError as error:
        raise _bomb(path, error) from error
    except UnidentifiedImageError as error:
        raise _unidentified(path, start) from error
    except Exception as error:  # a decoder meets a broken header with any exception
        raise PictureError("unreadable", f"a picture at {path}", error, _AGAIN) from error
    if image.width * image.height > MAX_PIXELS:
        raise _bomb(path, f"{image.width} x {image.height}")
    return image


_AGAIN = "Get the file again or remove it."


def _silence_pillow():
    """Turn off Pillow's warnings, once: `MAX_PIXELS` is the one limit, and a broken tag no matter."""
    rule = ("ignore", None, UserWarning, _PILLOW, 0)
    bomb = ("ignore", None, Image.DecompressionBombWarning, _PILLOW, 0)
    if rule not in warnings.filters or bomb not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=_PILLOW.pattern)
        warnings.filterwarnings(
            "ignore", category=Image.DecompressionBombWarning, module=_PILLOW.pattern
        )


def _bomb(path, size):
    return PictureError(
        "decompression-bomb-sized",
        f"at most {MAX_PIXELS} pixels in {path}",
        size,
        "Make it smaller or remove it.",
    )


def _unidentified(path, start):
    if start.startswith(_IMAGE_STARTS):
        return PictureError("unreadable", f"a picture at {path}", "a broken header", _AGAIN)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kind = next((kind for first, kind in _KINDS.items() if text.startswith(first)), None)
    kind = kind or ("text" if _is_text(start) else "no known image format")
    return PictureError("disguised", f"a picture at {path}", kind, _AGAIN)


def _is_text(start):
    return not any(byte < 32 and byte not in b"\t\r\n\f" for byte in start)


@contextlib.contextmanager
def decoding(path):
    """Turn whatever a decoder raises inside the block into a `PictureError`."""
    try:
        yield
    except AtelierError:
        raise
    except Exception as error:  # a decoder meets broken bytes with any exception
        cut = "truncated" in str(error) or isinstance(error, EOFError)
        problem = "truncated" if cut else "unreadable"
        raise PictureError(problem, f"a whole picture at {path}", error, _AGAIN) from error


def to_rgb(image):
    """Decode an opened Pillow image: (height, width, 3) uint8, RGB, upright.

    Raises:
        OSError, ValueError, SyntaxError and others: whatever Pillow meets broken bytes with.
    """
    image.load()
    if (tag := orientation(image)) != 1:
        image = image.transpose(_TURNS[tag])
    if image.mode in ("CMYK", "LAB"):
        image = _through_profile(image)
    elif image.mode.startswith("I") or image.mode == "F":
        image = _scaled(image)
    elif image.has_transparency_data:
        image = _on_white(image)
    return np.array(image.convert("RGB"))


_TURNS = {  # EXIF orientation: what brings the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image):
    """EXIF orientation of an opened picture, 1 to 8; 1 (upright) where none or a broken one is given."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a broken tag says nothing about the picture
        return 1
    return value if value in _TURNS else 1


def _through_profile(image):
    srgb = ImageCms.createProfile("sRGB")
    embedded = image.info.get("icc_profile")
    if image.mode == "CMYK" and not embedded:
        return image.convert("RGB")
    try:
        source = ImageCms.createProfile("LAB")
        if image.mode == "CMYK":
            source = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")  # a broken profile: Pillow's plain formula


def _scaled(image):
    """Grey of more than 8 bits: by the range of its type, or by its own where that is unknown."""
    values = np.asarray(image, dtype="float64")
    low, high = 0.0, 65535.0
    if image.mode == "F" or values.min() < 0 or values.max() > high:
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
        low, high = min(values.min(), 0.0), max(values.max(), 1.0)
    elif image.mode == "I" and values.max() <= 255:
        high = 255.0
    return Image.fromarray(np.uint8(np.round((values - low) / (high - low) * 255)))


def _on_white(image):
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image)
